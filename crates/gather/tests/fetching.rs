//! What certificates name, fetched over plain HTTP.

#![allow(clippy::unwrap_used, clippy::panic, reason = "this is test code")]

mod common;

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use common::{live, peer};
use tlswhy_gather::Live;
use tlswhy_model::{Answer, Asked, Bytes, Fetched, Question};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

async fn fetch(live: &Live, url: &str, request: Option<&[u8]>) -> Fetched {
    let question = Question::Fetch { url: url.to_owned(), request: request.map(|bytes| Bytes(bytes.to_vec())) };
    let asked = vec![Asked { id: 1, round: 1, question, purpose: "test".to_owned() }];
    match live.ask(asked, Instant::now()).await.pop() {
        Some((1, Answer::Fetched(fetched))) => fetched,
        other => panic!("{other:?}"),
    }
}

/// Reads a request: its head, and the body that it announces.
async fn heard(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    loop {
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.lines().find_map(|line| line.strip_prefix("Content-Length: "));
            if body.len() >= length.map_or(0, |length| length.parse().unwrap()) {
                return text;
            }
        }
        if stream.read_buf(&mut bytes).await.unwrap_or(0) == 0 {
            return text;
        }
    }
}

/// A server that answers by path, and what it was asked.
async fn server() -> (SocketAddr, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let kept = Arc::clone(&log);
    let address = peer(move |mut stream| {
        let log = Arc::clone(&kept);
        async move {
            let request = heard(&mut stream).await;
            let path = request.split(' ').nth(1).unwrap_or_default().to_owned();
            let path = path.rsplit_once("//").map_or(path.clone(), |(_, rest)| rest[rest.find('/').unwrap_or(0)..].to_owned());
            log.lock().unwrap().push(request);
            let moved =
                |status: u16, to: &str| format!("HTTP/1.1 {status} Moved\r\nLocation: {to}\r\nContent-Length: 0\r\n\r\n");
            let answer = match path.as_str() {
                "/plain" => "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody".to_owned(),
                "/chunked" => "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nbody\r\n0\r\n\r\n".to_owned(),
                "/close" => "HTTP/1.0 200 OK\r\n\r\nbody".to_owned(),
                "/empty" => "HTTP/1.0 200 OK\r\n\r\n".to_owned(),
                "/cut" => "HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nbody".to_owned(),
                "/once" => moved(301, "plain"),
                "/see-other" => moved(303, "/plain"),
                "/loop" => moved(302, "/loop"),
                "/away" => moved(302, "https://127.0.0.1/plain"),
                "/file" => moved(302, "file:///etc/passwd"),
                "/huge" => format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat((1 << 20) + 1)),
                "/silent" => {
                    tokio::time::sleep(Duration::from_secs(20)).await;
                    String::new()
                }
                "/drip" => {
                    stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
                    while stream.write_all(b"x").await.is_ok() {
                        tokio::time::sleep(Duration::from_millis(100)).await;
                    }
                    String::new()
                }
                _ => "HTTP/1.1 404 Not \u{1b}[31mFound\r\nContent-Length: 0\r\n\r\n".to_owned(),
            };
            let _ = stream.write_all(answer.as_bytes()).await;
        }
    })
    .await;
    (address, log)
}

#[tokio::test]
async fn bodies_come_in_every_framing_and_after_redirections() {
    let (address, log) = server().await;
    for path in ["plain", "chunked", "close", "once"] {
        let url = format!("http://{address}/{path}");
        let fetched = fetch(&live(), &url, None).await;
        assert_eq!(fetched, Fetched { url, request: None, body: Some(Bytes(b"body".to_vec())), error: None });
    }
    let first = log.lock().unwrap()[0].clone();
    assert!(first.starts_with("GET /plain HTTP/1.1\r\n") && first.contains(&format!("\r\nHost: {address}\r\n")), "{first}");
    assert!(first.contains("\r\nConnection: close\r\n"), "{first}");
}

#[tokio::test]
async fn an_ocsp_request_is_posted() {
    let (address, log) = server().await;
    let fetched = fetch(&live(), &format!("http://{address}/once"), Some(b"request")).await;
    assert_eq!((fetched.body, fetched.request), (Some(Bytes(b"body".to_vec())), Some(Bytes(b"request".to_vec()))));
    for request in log.lock().unwrap().drain(..) {
        assert!(request.starts_with("POST ") && request.ends_with("\r\n\r\nrequest"), "{request}");
        assert!(request.contains("\r\nContent-Type: application/ocsp-request\r\n"), "{request}");
    }
    fetch(&live(), &format!("http://{address}/see-other"), Some(b"request")).await;
    assert!(log.lock().unwrap()[1].starts_with("GET /plain "));
}

#[tokio::test]
async fn what_cannot_be_had_is_said() {
    let (address, _) = server().await;
    for (path, expected) in [
        ("missing", "HTTP status 404"),
        ("empty", "the answer is empty"),
        ("cut", "cut short"),
        ("loop", "redirects more than 3 times"),
        ("away", "only http is fetched"),
        ("file", "only http is fetched"),
        ("huge", "more than 1 MiB"),
    ] {
        let fetched = fetch(&live(), &format!("http://{address}/{path}"), None).await;
        let error = fetched.error.unwrap();
        assert!(error.contains(expected) && fetched.body.is_none(), "{path}: {error}");
    }
    for url in ["https://127.0.0.1/", "ldap://127.0.0.1/", "ftp://127.0.0.1/", "file:///etc/passwd"] {
        assert_eq!(fetch(&live(), url, None).await.error.as_deref(), Some("only http is fetched"));
    }
    let closed = common::free_port();
    let error = fetch(&live(), &format!("http://127.0.0.1:{closed}/"), None).await.error.unwrap();
    assert!(error.contains("cannot connect"), "{error}");
}

#[tokio::test]
async fn five_seconds_are_all_there_is() {
    let (address, _) = server().await;
    let began = Instant::now();
    let (live, silent, drip) = (live(), format!("http://{address}/silent"), format!("http://{address}/drip"));
    let (silent, drip) = tokio::join!(fetch(&live, &silent, None), fetch(&live, &drip, None));
    assert!(began.elapsed() < Duration::from_secs(7), "{:?}", began.elapsed());
    for fetched in [silent, drip] {
        assert_eq!(fetched.error.as_deref(), Some("no whole answer within 5 s"));
    }
}

#[tokio::test]
async fn a_proxy_carries_it() {
    let (address, log) = server().await;
    let live = Live { proxy: Some(format!("http://user:secret@{address}").parse().unwrap()), ..live() };
    // The name is no one's: the proxy alone knows what to do with it.
    let fetched = fetch(&live, "http://ca.invalid/plain", None).await;
    assert_eq!(fetched.body, Some(Bytes(b"body".to_vec())), "{:?}", fetched.error);
    let request = log.lock().unwrap()[0].clone();
    assert!(request.starts_with("GET http://ca.invalid/plain HTTP/1.1\r\nHost: ca.invalid\r\n"), "{request}");
    assert!(request.contains("\r\nProxy-Authorization: Basic dXNlcjpzZWNyZXQ=\r\n"), "{request}");

    let (address, _) = server().await;
    let socks = peer(move |mut stream| async move {
        let mut greeting = [0; 3];
        stream.read_exact(&mut greeting).await.unwrap();
        stream.write_all(&[5, 0]).await.unwrap();
        let mut request = [0; 5];
        stream.read_exact(&mut request).await.unwrap();
        let mut name = vec![0; usize::from(request[4]) + 2];
        stream.read_exact(&mut name).await.unwrap();
        assert!(name.starts_with(b"ca.invalid"));
        stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 80]).await.unwrap();
        let mut server = TcpStream::connect(address).await.unwrap();
        let _ = tokio::io::copy_bidirectional(&mut stream, &mut server).await;
    })
    .await;
    let live = Live { proxy: Some(format!("socks5h://{socks}").parse().unwrap()), ..live };
    let fetched = fetch(&live, "http://ca.invalid/plain", None).await;
    assert_eq!(fetched.body, Some(Bytes(b"body".to_vec())), "{:?}", fetched.error);
    let closed = common::free_port();
    let live = Live { proxy: Some(format!("http://user:secret@127.0.0.1:{closed}").parse().unwrap()), ..live };
    let error = fetch(&live, "http://ca.invalid/plain", None).await.error.unwrap();
    assert!(error.contains("the proxy http://127.0.0.1") && !error.contains("secret"), "{error}");
}
