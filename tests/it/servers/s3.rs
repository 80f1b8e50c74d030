//! SeaweedFS as an S3 server. All tests share one; each has a separate bucket.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use undo::internals::remote::{Options, Remote, S3Address};

use super::{command, free_ports, start, wait_until};
use crate::skip::skip;

/// Environment variable with the path of the program `weed`. `tests/run` sets it.
const PROGRAM: &str = "UNDO_TEST_WEED";

/// Key of an administrator.
pub const KEY: (&str, &str) = ("testkey", "testsecret");

/// A bucket of the server.
#[derive(Clone, Debug)]
pub struct Bucket {
    /// URL of the server.
    pub endpoint: String,
    pub name: String,
}

impl Bucket {
    /// Makes a bucket. `None` if the server is not installed: the caller returns.
    pub fn new() -> Option<Bucket> {
        static SERVER: OnceLock<Option<u16>> = OnceLock::new();
        let Some(port) = *SERVER.get_or_init(start_server) else {
            skip(format_args!("SeaweedFS is not installed: {PROGRAM} is not set"));
            return None;
        };
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("test-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        let bucket = Bucket { endpoint: format!("http://127.0.0.1:{port}"), name };
        // The server makes missing buckets.
        bucket.remote("made").put("made", b"").unwrap();
        Some(bucket)
    }

    /// The address of a prefix in it.
    pub fn address(&self, prefix: &str) -> S3Address {
        let (bucket, endpoint) = (self.name.clone(), Some(self.endpoint.clone()));
        S3Address { bucket, prefix: prefix.to_owned(), endpoint, region: None }
    }

    /// A remote with the administrator's key.
    pub fn remote(&self, prefix: &str) -> Remote {
        Remote::with_key(self.address(prefix), KEY, Options::default())
    }
}

fn start_server() -> Option<u16> {
    let program = PathBuf::from(std::env::var_os(PROGRAM)?);
    let directory = data_directory();
    let configuration = directory.join("s3.json");
    // The proxy removes signatures of requests that it changes, so anybody may do anything.
    let identities = format!(
        r#"{{"identities": [
            {{"name": "test", "credentials": [{{"accessKey": "{}", "secretKey": "{}"}}], "actions": ["Admin", "Read", "Write", "List"]}},
            {{"name": "reader", "credentials": [{{"accessKey": "readkey", "secretKey": "readsecret"}}], "actions": ["Read", "List"]}},
            {{"name": "anonymous", "actions": ["Admin", "Read", "Write", "List"]}}]}}"#,
        KEY.0, KEY.1
    );
    std::fs::write(&configuration, identities).unwrap();
    let ports: [u16; 8] = free_ports();
    let mut command = command(program);
    command.args([
        "-logtostderr=true",
        "server",
        "-ip=127.0.0.1",
        "-ip.bind=127.0.0.1",
        "-s3",
        "-s3.autoCreateBucket",
        "-master.volumeSizeLimitMB=64",
    ]);
    // Each bucket takes several volumes. The last two have fixed ports otherwise.
    command.args(["-volume.max=1000", "-s3.port.iceberg=0", "-s3.port.lance=0"]);
    command.arg(format!("-dir={}", directory.display())).arg(format!("-s3.config={}", configuration.display()));
    let names = ["master", "volume", "filer", "s3"];
    for (number, name) in names.iter().enumerate() {
        command.arg(format!("-{name}.port={}", ports[2 * number]));
        command.arg(format!("-{name}.port.grpc={}", ports[2 * number + 1]));
    }
    let log = directory.join("log");
    let output = std::fs::File::create(&log).unwrap();
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let mut child = start(command);
    let port = ports[6];
    let probe = Bucket { endpoint: format!("http://127.0.0.1:{port}"), name: "test-start".into() };
    wait_until("the start of SeaweedFS", Duration::from_secs(60), || {
        if let Some(status) = child.try_wait().unwrap() {
            panic!("SeaweedFS ended with {status}: {}", std::fs::read_to_string(&log).unwrap());
        }
        super::listens(port) && probe.remote("").put("probe", b"x").is_ok()
    });
    Some(port)
}

/// Makes a directory for the data of the server. The server writes to it until this process ends, so the next one removes it.
fn data_directory() -> PathBuf {
    let parent = Path::new(env!("CARGO_TARGET_TMPDIR")).join("seaweedfs");
    std::fs::create_dir_all(&parent).unwrap();
    for entry in std::fs::read_dir(&parent).unwrap().map(Result::unwrap) {
        if !Path::new("/proc").join(entry.file_name()).exists() {
            std::fs::remove_dir_all(entry.path()).unwrap();
        }
    }
    let directory = parent.join(std::process::id().to_string());
    std::fs::create_dir(&directory).unwrap();
    directory
}
