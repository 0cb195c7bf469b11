//! What lies at the addresses that certificates name: issuers, OCSP responders, revocation lists. Plain HTTP/1.1 alone, as the
//! certification authorities' rules have it, and only where the user allowed it: a certificate may name any address. Time, size and
//! redirections are bounded, and no redirection leads to another scheme.

mod response;
mod url;

use std::net::SocketAddr;
use std::time::Duration;

use tlswhy_model::{Bytes, Ending, Fetched, Speaker};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::timeout;

use crate::Live;
use crate::connection::Connection;
use crate::conversation::Conversation;
use crate::proxy::Proxy;
use response::{Response, Responses};
use url::Url;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(5);
/// How many redirections are followed.
const MOST_REDIRECTIONS: usize = 3;
/// How much is read at once.
const CHUNK: usize = 16 * 1024;

/// Fetches what lies at a URL, or what it answers to an OCSP request (DER).
pub(crate) async fn fetch(live: &Live, url: String, request: Option<Bytes>) -> Fetched {
    let posted = request.as_ref().map(|bytes| &bytes[..]);
    let outcome = match timeout(LIMIT, follow(live, &url, posted)).await {
        Ok(outcome) => outcome,
        Err(_) => Err(format!("no whole answer within {} s", LIMIT.as_secs())),
    };
    let (body, error) = match outcome {
        Ok(body) => (Some(Bytes(body)), None),
        Err(error) => (None, Some(error)),
    };
    Fetched { url, request, body, error }
}

async fn follow(live: &Live, url: &str, posted: Option<&[u8]>) -> Result<Vec<u8>, String> {
    let (mut url, mut posted) = (Url::parse(url)?, posted);
    for _ in 0..=MOST_REDIRECTIONS {
        let Response { status, location, body } = exchange(live, &url, posted).await?;
        match (status, location) {
            (200, _) if body.is_empty() => return Err("the answer is empty".to_owned()),
            (200, _) => return Ok(body),
            (301 | 302 | 303 | 307 | 308, Some(location)) => {
                url = url.join(&location)?;
                // RFC 9110 §15.4.4: 303 alone always turns into a GET.
                posted = posted.filter(|_| status != 303);
            }
            _ => return Err(format!("the answer has the HTTP status {status}")),
        }
    }
    Err(format!("it redirects more than {MOST_REDIRECTIONS} times"))
}

/// One request and its answer.
async fn exchange(live: &Live, url: &Url, posted: Option<&[u8]>) -> Result<Response, String> {
    let mut stream = connect(live, url).await?;
    let http_proxy = live.proxy.as_ref().filter(|proxy| proxy.is_http());
    let in_words = |error: std::io::Error| format!("the connection broke: {error}");
    stream.write_all(&request(url, posted, http_proxy)).await.map_err(in_words)?;
    let mut responses = Responses::default();
    loop {
        let mut chunk = Vec::with_capacity(CHUNK);
        let read = stream.read_buf(&mut chunk).await.map_err(in_words)?;
        if let Some(response) = responses.push(&chunk, read == 0)? {
            return Ok(response);
        }
    }
}

fn request(url: &Url, posted: Option<&[u8]>, http_proxy: Option<&Proxy>) -> Vec<u8> {
    let method = if posted.is_some() { "POST" } else { "GET" };
    let target = if http_proxy.is_some() { url.absolute() } else { url.target.clone() };
    let mut head = format!("{method} {target} HTTP/1.1\r\nHost: {}\r\nUser-Agent: tlswhy\r\n", url.authority());
    if let Some(credentials) = http_proxy.and_then(Proxy::basic_credentials) {
        head += &format!("Proxy-Authorization: Basic {credentials}\r\n");
    }
    match posted {
        // RFC 6960 §A.1
        Some(body) => {
            head += "Content-Type: application/ocsp-request\r\nAccept: application/ocsp-response\r\n";
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        None => head += "Accept: */*\r\n",
    }
    head += "Connection: close\r\n\r\n";
    [head.as_bytes(), posted.unwrap_or_default()].concat()
}

/// TCP to the host, or to the proxy and through it.
async fn connect(live: &Live, url: &Url) -> Result<TcpStream, String> {
    let Some(proxy) = &live.proxy else {
        return dial(live, &url.host, url.port).await;
    };
    let stream = dial(live, proxy.host(), proxy.port()).await.map_err(|error| format!("the proxy {proxy}: {error}"))?;
    if proxy.is_http() {
        return Ok(stream);
    }
    let target = match proxy.resolves() {
        true => url.host.clone(),
        false => resolve(&url.host, url.port).await?.ip().to_string(),
    };
    let mut connection = Connection::new(stream);
    let mut conversation = Conversation::new(Speaker::Proxy, Some(proxy));
    let dialogue = proxy.dialogue(&target, url.port);
    let outcome = conversation.hold(&mut connection, dialogue, Vec::new(), live.tls_timeout).await;
    outcome.map_err(|ending| match ending {
        Ending::TunnelRefused { reason } => format!("the proxy {proxy} does not carry it: {reason}"),
        _ => format!("the proxy {proxy} does not answer"),
    })?;
    Ok(connection.into_stream())
}

async fn dial(live: &Live, host: &str, port: u16) -> Result<TcpStream, String> {
    match timeout(live.connect_timeout, TcpStream::connect((host, port))).await {
        Ok(Ok(stream)) => Ok(stream),
        Ok(Err(error)) => Err(format!("cannot connect to {host}:{port}: {error}")),
        Err(_) => Err(format!("no connection to {host}:{port} within {} ms", live.connect_timeout.as_millis())),
    }
}

async fn resolve(host: &str, port: u16) -> Result<SocketAddr, String> {
    let mut addresses = lookup_host((host, port)).await.map_err(|error| format!("cannot resolve {host}: {error}"))?;
    addresses.next().ok_or_else(|| format!("cannot resolve {host}: it has no address"))
}
