//! Signs requests, sends them and reads the answers, within the limits of the remote.

use std::future::Future;
use std::io::Read;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use http::{Method, Request};
use reqsign_aws_v4::Credential;
use reqsign_core::Signer;
use ureq::{Agent, SendBody};

use crate::error::{Error, ErrorKind};
use crate::remote::S3Address;
use crate::remote::backend::{Attempt, Body, Failure, check_size};
use crate::remote::meter::{Meter, PIECE};
use crate::remote::s3::answer::{Answer, shown};
use crate::remote::s3::credentials::signer;
use crate::remote::s3::tls;

/// A client of one bucket.
pub(super) struct Client {
    /// URL of the bucket, without a slash at its end.
    url: String,
    address: S3Address,
    agent: Agent,
    signer: Signer<Credential>,
    meter: Arc<Meter>,
    /// Whether the server has answered a request. Then failures to connect may pass.
    has_answered: AtomicBool,
}

/// Time to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(20);

/// Time without progress after which a request has failed.
const IDLE_TIMEOUT: Duration = Duration::from_secs(60);

/// Region of servers that have none.
const NO_REGION: &str = "us-east-1";

impl Client {
    /// Sends no request, unless the region of the bucket is unknown.
    pub fn connect(address: &S3Address, key: Option<&(String, String)>, meter: Arc<Meter>) -> Attempt<Client> {
        let agent = agent(meter.connections());
        let variable = |name: &str| std::env::var(name).ok().filter(|region| !region.is_empty());
        let known =
            address.region.clone().or_else(|| variable("AWS_REGION")).or_else(|| variable("AWS_DEFAULT_REGION"));
        let region = match (known, &address.endpoint) {
            (Some(region), _) => region,
            (None, Some(_)) => NO_REGION.to_owned(),
            (None, None) => find_region(&agent, address)?,
        };
        let bucket = &address.bucket;
        let url = match &address.endpoint {
            Some(endpoint) => format!("{endpoint}/{bucket}"),
            // The certificate is not valid for a bucket with dots in its name.
            None if bucket.contains('.') => format!("https://s3.{region}.amazonaws.com/{bucket}"),
            None => format!("https://{bucket}.s3.{region}.amazonaws.com"),
        };
        let (address, signer) = (address.clone(), signer(&region, key));
        Ok(Client { url, address, agent, signer, meter, has_answered: AtomicBool::new(false) })
    }

    /// Sends a request and reads the whole answer, whatever its status. `path` starts with a slash or a question mark.
    pub fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(&'static str, &str)],
        body: Body<'_>,
    ) -> Attempt<Answer> {
        let is_put = method == Method::PUT;
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.url));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        // The target's bytes carry their own hashes; TLS protects the rest.
        request = request.header("x-amz-content-sha256", "UNSIGNED-PAYLOAD");
        if is_put {
            request = request.header("content-length", body.bytes.len());
        }
        let invalid = |cause: http::Error| Error::new(ErrorKind::Internal, format!("invalid request: {cause}"));
        let (mut parts, ()) = request.body(()).map_err(invalid)?.into_parts();
        run(self.signer.sign(&mut parts, None)).map_err(|cause| self.unsigned(&cause))?;
        let answer = if is_put {
            let mut reader = Upload { body, sent: 0, meter: &self.meter };
            self.agent.run(Request::from_parts(parts, SendBody::from_reader(&mut reader)))
        } else {
            self.agent.run(Request::from_parts(parts, ()))
        };
        let answer = answer.map_err(|cause| self.failure(&cause))?;
        let answer = self.receive(answer, path)?;
        self.has_answered.store(true, Ordering::Relaxed);
        Ok(answer)
    }

    fn receive(&self, answer: http::Response<ureq::Body>, path: &str) -> Attempt<Answer> {
        let (parts, body) = answer.into_parts();
        let header = |name: &str| parts.headers.get(name).and_then(|value| value.to_str().ok());
        let length: Option<usize> = header("content-length").and_then(|length| length.parse().ok());
        let region = header("x-amz-bucket-region").map(str::to_owned);
        let (mut bytes, mut reader) = (Vec::with_capacity(length.unwrap_or(0).min(LARGEST)), body.into_reader());
        loop {
            let start = bytes.len();
            let piece = reader.by_ref().take(PIECE as u64).read_to_end(&mut bytes);
            piece.map_err(|cause| self.failure(&ureq::Error::from(cause)))?;
            if bytes.len() == start {
                break;
            }
            check_size(path, bytes.len() as u64)?;
            self.meter.download(bytes.len() - start);
        }
        match length {
            Some(length) if length != bytes.len() => {
                let message = format!("{} has sent {} of {length} bytes", shown(&self.address), bytes.len());
                Err(Failure::transient(Error::new(ErrorKind::Unreachable, message)))
            }
            _ => Ok(Answer { status: parts.status.as_u16(), body: bytes, region }),
        }
    }

    fn unsigned(&self, cause: &reqsign_core::Error) -> Failure {
        let message = format!("no credentials for {}: {cause}", shown(&self.address));
        let hint = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or add a profile: aws configure";
        Error::new(ErrorKind::Unreachable, message).hint(hint).into()
    }

    fn failure(&self, cause: &ureq::Error) -> Failure {
        let failure = unreachable(cause, &self.address);
        Failure { is_transient: failure.is_transient || self.has_answered.load(Ordering::Relaxed), ..failure }
    }
}

/// Largest buffer that is reserved before the bytes arrive.
const LARGEST: usize = 64 << 20;

fn agent(connections: usize) -> Agent {
    let config = Agent::config_builder()
        .http_status_as_error(false)
        // A redirected request has an invalid signature.
        .max_redirects(0)
        .max_redirects_will_error(false)
        .user_agent(concat!("undo/", env!("CARGO_PKG_VERSION")))
        .timeout_connect(Some(CONNECT_TIMEOUT))
        .timeout_per_read(Some(IDLE_TIMEOUT))
        .timeout_per_write(Some(IDLE_TIMEOUT))
        .max_idle_connections(connections)
        .max_idle_connections_per_host(connections)
        .input_buffer_size(PIECE)
        .output_buffer_size(PIECE)
        .tls_config(tls::configuration());
    config.build().into()
}

/// Asks Amazon for the region of a bucket, which needs no credentials.
fn find_region(agent: &Agent, address: &S3Address) -> Attempt<String> {
    let url = format!("https://s3.{NO_REGION}.amazonaws.com/{}", address.bucket);
    let answer = agent.head(&url).call().map_err(|cause| unreachable(&cause, address))?;
    let region = answer.headers().get("x-amz-bucket-region").and_then(|region| region.to_str().ok());
    let unknown = || {
        let message = format!("the bucket of `{address}` does not exist, or its region is unknown");
        Error::new(ErrorKind::Unreachable, message)
            .hint(format!("to create the bucket: aws s3 mb s3://{}", address.bucket))
    };
    Ok(region.map(str::to_owned).ok_or_else(unknown)?)
}

/// A failure to send a request or to receive its answer.
fn unreachable(cause: &ureq::Error, address: &S3Address) -> Failure {
    let error = |words: String| Error::new(ErrorKind::Unreachable, format!("cannot reach {}: {words}", shown(address)));
    let host = address.host();
    let is_unknown = match cause {
        ureq::Error::HostNotFound => true,
        // Rust has no kind for a failure of `getaddrinfo`.
        ureq::Error::Io(io) => io.to_string().starts_with("failed to lookup address"),
        _ => false,
    };
    match cause {
        _ if is_unknown => error(format!("the host `{host}` is unknown"))
            .hint(format!("to look the name up: getent hosts {host}"))
            .into(),
        ureq::Error::Io(io) if io.kind() == std::io::ErrorKind::ConnectionRefused => {
            error("the server refuses the connection".into())
                .hint("check the host and port of the endpoint, and that the server is running")
                .into()
        }
        ureq::Error::Rustls(cause) => error(cause.to_string())
            .hint("to trust the server's certificate authority, set SSL_CERT_FILE to its certificate")
            .into(),
        ureq::Error::Io(io) => Failure::transient(error(format!("the connection failed: {io}"))),
        ureq::Error::Timeout(_) => Failure::transient(error("the server does not answer".into())),
        other => Failure::transient(error(other.to_string())),
    }
}

/// A body that obeys the limit of the remote.
struct Upload<'b> {
    body: Body<'b>,
    /// Number of bytes that were read.
    sent: usize,
    meter: &'b Meter,
}

impl Read for Upload<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.body.check().map_err(std::io::Error::other)?;
        let rest = &self.body.bytes[self.sent..];
        let piece = &rest[..rest.len().min(buffer.len()).min(PIECE)];
        self.meter.upload(piece.len());
        buffer[..piece.len()].copy_from_slice(piece);
        self.sent += piece.len();
        Ok(piece.len())
    }
}

/// Runs a future that never waits for another task: everything that signing calls blocks.
fn run<T>(future: impl Future<Output = T>) -> T {
    let mut future = pin!(future);
    loop {
        if let Poll::Ready(value) = future.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            return value;
        }
    }
}
