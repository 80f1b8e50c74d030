//! Storage in S3: SeaweedFS, also behind a proxy with faults.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use undo::error::ErrorKind;
use undo::internals::remote::{Created, Creation, Options, Remote};

use super::{check_limits, check_long_list, check_races, check_remote, limited};
use crate::servers::proxy::{Fault, Proxy, Request};
use crate::servers::s3::{Bucket, KEY};

/// Applies a fault to the first request with this method.
fn once(method: &'static str, fault: Fault) -> impl Fn(&Request) -> Fault + Send + Sync {
    let seen = AtomicU32::new(0);
    move |request| match request.method == method && seen.fetch_add(1, Ordering::SeqCst) == 0 {
        true => fault.clone(),
        false => Fault::None,
    }
}

#[test]
fn s3_stores_keys() {
    let Some(bucket) = Bucket::new() else { return };
    check_remote(&bucket.remote("some/prefix"));
    let whole = bucket.remote("");
    assert_eq!(whole.create("log/01", b"whole bucket").unwrap(), Created::New);
    assert_eq!(whole.list("log", None).unwrap().len(), 1);
}

#[test]
fn one_of_two_racing_creates_wins() {
    let Some(bucket) = Bucket::new() else { return };
    check_races(&bucket.remote("a"), &bucket.remote("a"), 100);
}

#[test]
fn create_survives_every_fault() {
    let Some(bucket) = Bucket::new() else { return };
    for (number, fault) in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Double,
        Fault::Truncate,
        Fault::Delay(Duration::from_millis(100)),
        Fault::Answer(500, "InternalError"),
        Fault::Answer(503, "SlowDown"),
        Fault::Answer(409, "ConditionalRequestConflict"),
    ]
    .into_iter()
    .enumerate()
    {
        let proxy = Proxy::start(&bucket, once("PUT", fault.clone()));
        let remote = proxy.bucket.remote(&format!("p{number}"));
        assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New, "{fault:?}");
        assert_eq!(remote.get("log/01").unwrap().unwrap(), b"one");
        // Another writer is first.
        let proxy = Proxy::start(&bucket, once("PUT", fault.clone()));
        let remote = proxy.bucket.remote(&format!("p{number}"));
        assert_eq!(remote.create("log/01", b"two").unwrap(), Created::Exists, "{fault:?}");
        assert_eq!(remote.get("log/01").unwrap().unwrap(), b"one");
    }
}

#[test]
fn reads_and_lists_survive_faults() {
    let Some(bucket) = Bucket::new() else { return };
    bucket.remote("a").put("data/01", &[7; 100_000]).unwrap();
    for fault in [
        Fault::LoseRequest,
        Fault::LoseAnswer,
        Fault::Double,
        Fault::Truncate,
        Fault::Answer(500, "InternalError"),
        Fault::Answer(503, "SlowDown"),
    ] {
        let proxy = Proxy::start(&bucket, once("GET", fault.clone()));
        assert_eq!(proxy.bucket.remote("a").get("data/01").unwrap().unwrap(), [7; 100_000], "{fault:?}");
        let proxy = Proxy::start(&bucket, once("GET", fault.clone()));
        assert_eq!(proxy.bucket.remote("a").get_range("data/01", 10..20).unwrap().unwrap(), [7; 10], "{fault:?}");
        let proxy = Proxy::start(&bucket, once("GET", fault.clone()));
        assert_eq!(proxy.bucket.remote("a").list("data", None).unwrap().len(), 1, "{fault:?}");
    }
}

#[test]
fn a_server_that_ignores_conditions_has_one_writer() {
    let Some(bucket) = Bucket::new() else { return };
    let proxy = Proxy::start(&bucket, |request| match request.method.as_str() {
        "PUT" | "GET" => Fault::StripConditions,
        _ => Fault::None,
    });
    assert_eq!(proxy.bucket.remote("a").probe().unwrap().creation, Creation::OneWriter);
    // Such a server does not know ranges either.
    let remote = proxy.bucket.remote("b");
    remote.put("data/01", b"0123456789").unwrap();
    assert_eq!(remote.get_range("data/01", 2..5).unwrap().unwrap(), b"234");
}

#[test]
fn a_server_that_rejects_conditions_has_one_writer() {
    let Some(bucket) = Bucket::new() else { return };
    let seen = AtomicU32::new(0);
    let proxy = Proxy::start(&bucket, move |request| {
        match request.method == "PUT" && seen.fetch_add(1, Ordering::SeqCst) == 0 {
            true => Fault::Answer(501, "NotImplemented"),
            false => Fault::None,
        }
    });
    let remote = proxy.bucket.remote("a");
    assert_eq!(remote.create("log/01", b"one").unwrap(), Created::New);
    assert_eq!(remote.probe().unwrap().creation, Creation::OneWriter);
}

#[test]
fn requests_are_counted() {
    let Some(bucket) = Bucket::new() else { return };
    let proxy = Proxy::start(&bucket, |_| Fault::None);
    let remote = proxy.bucket.remote("a");
    remote.create("log/01", b"one").unwrap();
    remote.create("log/01", b"two").unwrap();
    remote.get("log/01").unwrap();
    remote.list("log", None).unwrap();
    remote.delete(&["log/01".into(), "log/02".into()]).unwrap();
    let counts = remote.counts();
    assert_eq!((counts.creates, counts.reads, counts.lists, counts.deletes, counts.retries), (2, 2, 1, 2, 0));
    let requests = proxy.requests();
    assert_eq!(requests.len() as u64, counts.requests());
    assert_eq!(requests[0], format!("PUT /{}/a/log/01", bucket.name));
    assert!(requests[4].ends_with("?list-type=2&prefix=a%2Flog%2F"), "{}", requests[4]);
}

#[test]
fn errors_have_the_words_of_the_server_and_a_hint() {
    let Some(bucket) = Bucket::new() else { return };
    let missing = Bucket { name: "no-such-bucket".into(), ..bucket.clone() };
    let error = missing.remote("a").get("log/01").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.to_string().contains("(NoSuchBucket)"), "{error}");
    assert!(error.hint_text().unwrap().contains("aws s3 mb s3://no-such-bucket --endpoint-url http://"), "{error:?}");

    let other = |key| Remote::with_key(bucket.address("a"), key, Options::default());
    for (key, code) in [(("wrong", "testsecret"), "InvalidAccessKeyId"), ((KEY.0, "wrong"), "SignatureDoesNotMatch")] {
        let error = other(key).create("log/01", b"").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains(code) && error.hint_text().is_some(), "{error:?}");
    }
    let reader = other(("readkey", "readsecret"));
    assert_eq!(reader.get("log/01").unwrap(), None);
    let error = reader.create("log/01", b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Refused, "{error:?}");
    assert!(error.hint_text().unwrap().contains("s3:PutObject"));
    assert_eq!(reader.delete(&["log/01".into()]).unwrap_err().kind(), ErrorKind::Refused);

    let proxy = Proxy::start(&bucket, |_| Fault::Answer(403, "RequestTimeTooSkewed"));
    let error = proxy.bucket.remote("a").create("log/01", b"").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unreachable);
    assert!(error.hint_text().unwrap().contains("timedatectl"), "{error:?}");
}

#[test]
fn servers_that_cannot_be_reached_are_reported_at_once() {
    let [port] = crate::servers::free_ports();
    let bucket = |endpoint: String| Bucket { endpoint, name: "data".into() };
    let refused = bucket(format!("http://127.0.0.1:{port}")).remote("").get("log/01").unwrap_err();
    let unknown = bucket("http://no-such-host.invalid".into()).remote("").get("log/01").unwrap_err();
    for (error, words) in [(refused, "refuses the connection"), (unknown, "`no-such-host.invalid` is unknown")] {
        assert_eq!(error.kind(), ErrorKind::Unreachable);
        assert!(error.to_string().contains(words) && error.hint_text().is_some(), "{error:?}");
    }
}

#[test]
fn listings_have_more_than_1000_keys() {
    let Some(bucket) = Bucket::new() else { return };
    let remote = Remote::with_key(bucket.address("a"), KEY, Options { connections: 8, ..Options::default() });
    check_long_list(&remote);
    // The first listing and the one with `after` read all keys and a part of them; the last one none.
    assert_eq!(remote.counts().lists, 4);
}

#[test]
fn limits_are_kept() {
    let Some(bucket) = Bucket::new() else { return };
    check_limits(&Remote::with_key(bucket.address("a"), KEY, limited()));
}
