//! Finds credentials as other programs for S3 do: environment, profiles, SSO, web identity, programs, containers, instances.

use std::process::{Command, Stdio};
use std::time::Duration;

use bytes::Bytes;
use reqsign_aws_v4::{Credential, DefaultCredentialProvider, RequestSigner, StaticCredentialProvider};
use reqsign_core::{CommandExecute, CommandOutput, Context, Error, FileRead, HttpSend, OsEnv, Result, Signer};
use ureq::Agent;

use crate::remote::s3::tls;

/// Makes a signer of requests. Without a key it finds credentials when the first request is signed, and again when they expire.
pub(super) fn signer(region: &str, key: Option<&(String, String)>) -> Signer<Credential> {
    let context =
        Context::new().with_env(OsEnv).with_file_read(Files).with_http_send(Http).with_command_execute(Programs);
    let found = DefaultCredentialProvider::new();
    let credentials = match key {
        Some((id, secret)) => found.push_front(StaticCredentialProvider::new(id, secret)),
        None => found,
    };
    Signer::new(context, credentials, RequestSigner::new("s3", region))
}

/// Reads profiles.
#[derive(Debug)]
struct Files;

impl FileRead for Files {
    async fn file_read(&self, path: &str) -> Result<Vec<u8>> {
        match crate::fs::read_any(path.as_ref()) {
            Ok(Some(bytes)) => Ok(bytes),
            Ok(None) => Err(Error::config_invalid(format!("`{path}` does not exist"))),
            Err(error) => Err(Error::unexpected(error.to_string())),
        }
    }
}

/// Runs the program that a profile names as the source of credentials.
#[derive(Debug)]
struct Programs;

impl CommandExecute for Programs {
    async fn command_execute(&self, program: &str, arguments: &[&str]) -> Result<CommandOutput> {
        let output = Command::new(program).args(arguments).stdin(Stdio::null()).output();
        let output = output.map_err(|cause| Error::unexpected(format!("cannot run `{program}`: {cause}")))?;
        let status = output.status.code().unwrap_or(-1);
        Ok(CommandOutput { status, stdout: output.stdout, stderr: output.stderr })
    }
}

/// Asks the services of a cloud.
#[derive(Debug)]
struct Http;

/// Time to connect: elsewhere than in a cloud, no machine has the address of its services.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for a whole request.
const TIMEOUT: Duration = Duration::from_secs(20);

impl HttpSend for Http {
    async fn http_send(&self, request: http::Request<Bytes>) -> Result<http::Response<Bytes>> {
        let is_local = request.uri().scheme_str() == Some("http");
        let config = Agent::config_builder().http_status_as_error(false).timeout_global(Some(TIMEOUT));
        let config = config.tls_config(tls::configuration());
        // Services of a machine have plain addresses that no proxy reaches.
        let config = if is_local { config.timeout_connect(Some(CONNECT_TIMEOUT)).proxy(None) } else { config };
        let agent = Agent::from(config.build());
        let (parts, body) = request.into_parts();
        let answer = if body.is_empty() {
            agent.run(http::Request::from_parts(parts, ()))
        } else {
            agent.run(http::Request::from_parts(parts, body.as_ref()))
        };
        let failed = |cause: ureq::Error| Error::unexpected(cause.to_string());
        let (parts, mut body) = answer.map_err(failed)?.into_parts();
        let body = body.read_to_vec().map_err(failed)?;
        Ok(http::Response::from_parts(parts, body.into()))
    }
}
