//! A proxy in front of an S3 server. A callback decides what happens to each request.

use std::io::{BufRead, BufReader, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::s3::Bucket;

/// A request that the client has sent.
#[derive(Clone, Debug)]
pub struct Request {
    /// `GET`, `PUT`, `DELETE`, …
    pub method: String,
    /// Path and query.
    pub path: String,
}

/// What happens to a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// It is passed on.
    None,
    /// The connection is closed instead.
    LoseRequest,
    /// It is passed on, and the connection is closed instead of an answer.
    LoseAnswer,
    /// It is passed on after a while.
    Delay(Duration),
    /// It is passed on twice. The second answer is returned.
    Double,
    /// It is passed on; the answer ends after half of its body.
    Truncate,
    /// It is not passed on; the answer has this status and this code.
    Answer(u16, &'static str),
    /// It is passed on; files that are older than these seconds look a year old in the answer.
    Age(u64),
    /// It is passed on without `If-None-Match` and `Range`, as by servers that do not know them.
    StripConditions,
}

/// A running proxy.
pub struct Proxy {
    /// The bucket, through the proxy.
    pub bucket: Bucket,
    requests: Arc<Mutex<Vec<Request>>>,
}

impl Proxy {
    /// Starts a proxy in front of the server of a bucket.
    pub fn start(bucket: &Bucket, decide: impl Fn(&Request) -> Fault + Send + Sync + 'static) -> Proxy {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let server: SocketAddr = bucket.endpoint.strip_prefix("http://").unwrap().parse().unwrap();
        let requests = Arc::new(Mutex::new(Vec::<Request>::new()));
        let shared = Arc::new((decide, requests.clone()));
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = shared.clone();
                std::thread::spawn(move || {
                    let (decide, requests) = &*shared;
                    // Fails when the client closes the connection.
                    let _ = serve(&client, server, |method, path| {
                        let request = Request { method: method.to_owned(), path: path.to_owned() };
                        requests.lock().unwrap().push(request.clone());
                        decide(&request)
                    });
                    let _ = client.shutdown(Shutdown::Both);
                });
            }
        });
        Proxy { bucket: Bucket { endpoint, name: bucket.name.clone() }, requests }
    }

    /// The requests so far, as `METHOD PATH`.
    pub fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().iter().map(|request| format!("{} {}", request.method, request.path)).collect()
    }
}

/// The first line and the headers of a message, each with its line end, and the body.
struct Message {
    lines: Vec<String>,
    body: Vec<u8>,
}

impl Message {
    /// Reads a message; `None` at the end of the connection. `has_body` tells whether an answer has one.
    fn read(stream: &mut impl BufRead, has_body: bool) -> std::io::Result<Option<Message>> {
        let (mut lines, mut length, mut is_chunked) = (Vec::new(), 0, false);
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            if line == "\r\n" {
                break;
            }
            let (name, value) = line.split_once(':').unwrap_or((&line, ""));
            match name.to_ascii_lowercase().as_str() {
                "content-length" => length = value.trim().parse().unwrap(),
                "transfer-encoding" => is_chunked = true,
                _ => {}
            }
            lines.push(line);
        }
        let mut body = Vec::new();
        if has_body && is_chunked {
            read_chunks(stream, &mut body)?;
            lines.retain(|line| !line.to_ascii_lowercase().starts_with("transfer-encoding"));
            lines.push(format!("Content-Length: {}\r\n", body.len()));
        } else if has_body {
            body.resize(length, 0);
            stream.read_exact(&mut body)?;
        }
        Ok(Some(Message { lines, body }))
    }

    fn write(&self, mut stream: &TcpStream, body: &[u8]) -> std::io::Result<()> {
        stream.write_all(format!("{}\r\n", self.lines.concat()).as_bytes())?;
        stream.write_all(body)
    }

    /// Sets the year of times in a listing that are older than these seconds to the year before.
    fn age(&mut self, seconds: u64) {
        const TAG: &str = "<LastModified>";
        let limit = (jiff::Timestamp::now() - std::time::Duration::from_secs(seconds)).to_string();
        let Ok(text) = std::str::from_utf8(&self.body) else { return };
        if !text.contains(TAG) {
            return;
        }
        let mut parts = text.split(TAG);
        let mut aged = parts.next().unwrap_or_default().to_owned();
        for part in parts {
            let year: u32 = part[..4].parse().unwrap();
            let is_old = part[..19] < limit[..19];
            // A year has four digits before and after.
            aged += &format!("{TAG}{:04}{}", if is_old { year - 1 } else { year }, &part[4..]);
        }
        self.body = aged.into_bytes();
    }

    fn remove(&mut self, header: &str) {
        self.lines.retain(|line| !line.to_ascii_lowercase().starts_with(&format!("{header}:")));
    }
}

fn read_chunks(stream: &mut impl BufRead, body: &mut Vec<u8>) -> std::io::Result<()> {
    loop {
        let mut size = String::new();
        stream.read_line(&mut size)?;
        let size = usize::from_str_radix(size.trim(), 16).unwrap();
        let start = body.len();
        body.resize(start + size, 0);
        stream.read_exact(&mut body[start..])?;
        stream.read_line(&mut String::new())?;
        if size == 0 {
            return Ok(());
        }
    }
}

fn serve(client: &TcpStream, server: SocketAddr, decide: impl Fn(&str, &str) -> Fault) -> std::io::Result<()> {
    client.set_nodelay(true)?;
    let mut reader = BufReader::new(client);
    while let Some(mut request) = Message::read(&mut reader, true)? {
        let mut words = request.lines[0].split(' ').map(str::to_owned);
        let (method, path) = (words.next().unwrap(), words.next().unwrap());
        let fault = decide(&method, &path);
        match fault {
            Fault::LoseRequest => return Ok(()),
            Fault::Delay(pause) => std::thread::sleep(pause),
            Fault::Answer(status, code) => {
                let body = format!("<Error><Code>{code}</Code><Message>Injected.</Message></Error>");
                let head = format!("HTTP/1.1 {status} Injected\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                let mut stream = client;
                stream.write_all(head.as_bytes())?;
                continue;
            }
            Fault::StripConditions => {
                // The signature covers the headers. The server permits unsigned requests.
                for header in ["if-none-match", "range", "authorization", "x-amz-date", "x-amz-content-sha256"] {
                    request.remove(header);
                }
            }
            Fault::Double => drop(pass_on(&request, &method, server)?),
            Fault::None | Fault::LoseAnswer | Fault::Truncate | Fault::Age(_) => {}
        }
        let mut answer = pass_on(&request, &method, server)?;
        match fault {
            Fault::Age(seconds) => {
                answer.age(seconds);
                answer.write(client, &answer.body)?;
            }
            Fault::LoseAnswer => return Ok(()),
            Fault::Truncate => return answer.write(client, &answer.body[..answer.body.len() / 2]),
            _ => answer.write(client, &answer.body)?,
        }
    }
    Ok(())
}

fn pass_on(request: &Message, method: &str, server: SocketAddr) -> std::io::Result<Message> {
    let upstream = TcpStream::connect(server)?;
    upstream.set_nodelay(true)?;
    request.write(&upstream, &request.body)?;
    let answer = Message::read(&mut BufReader::new(&upstream), method != "HEAD")?;
    answer.ok_or_else(|| std::io::ErrorKind::UnexpectedEof.into())
}
