//! Peers made of bytes, for what no real software at hand does: intolerance of versions and sizes, SSLv2, silence.
//!
//! The intolerant ones are relays: they read the ClientHello, and hand what they like to a real server behind them.

use std::fs;
use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use socket2::{Domain, SockRef, Socket, Type};

use crate::server::{Server, StartError, free_port};

/// How long a silent peer stays connected.
const PATIENCE: Duration = Duration::from_secs(20);

/// What a relay does with a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Hands it to the server behind.
    Forward,
    /// Sends this fatal alert (RFC 8446 §6) and closes.
    Alert(u8),
    /// Closes in the ordinary way.
    Close,
    /// Resets the connection.
    Reset,
    /// Never answers.
    Silence,
}

/// What a relay can see of a ClientHello.
#[derive(Clone, Debug, Default)]
pub struct Hello {
    /// Everything that was read of it.
    pub bytes: Vec<u8>,
    /// Length of the handshake message with its header of four bytes.
    pub length: usize,
    /// Number of records that it came in.
    pub records: usize,
    /// Bytes that the first read returned.
    pub first_read: usize,
    /// `legacy_version`.
    pub legacy_version: u16,
    /// Codes of the suites.
    pub suites: Vec<u16>,
    /// Codes of the extensions.
    pub extensions: Vec<u16>,
    /// Versions in `supported_versions`.
    pub versions: Vec<u16>,
}

/// Runs `handler` on every connection, in a thread of its own; its second argument counts the connections from 0.
pub fn serve(handler: impl Fn(TcpStream, usize) -> io::Result<()> + Send + Sync + 'static) -> Result<Server, StartError> {
    let mut server = Server::at(free_port());
    let listener = TcpListener::bind(server.address()).map_err(StartError::of)?;
    let stop = Arc::new(AtomicBool::new(false));
    let (handler, stopped) = (Arc::new(handler), Arc::clone(&stop));
    thread::spawn(move || {
        for (number, stream) in listener.incoming().enumerate() {
            if stopped.load(Ordering::Relaxed) {
                return;
            }
            let (Ok(stream), handler) = (stream, Arc::clone(&handler)) else {
                continue;
            };
            thread::spawn(move || {
                let _ = stream.set_read_timeout(Some(PATIENCE));
                let _ = handler(stream, number);
            });
        }
    });
    server.keep(Stop { address: server.address(), stop });
    Ok(server)
}

/// A relay before `backend` that judges each ClientHello.
pub fn relay(backend: Server, rule: fn(&Hello) -> Verdict) -> Result<Server, StartError> {
    let address = backend.address();
    let front = serve(move |mut client, _| {
        let hello = read_hello(&mut client)?;
        match rule(&hello) {
            Verdict::Forward => splice(client, address, &hello.bytes),
            Verdict::Alert(code) => {
                client.write_all(&[0x15, 3, 1, 0, 2, 2, code])?;
                close_gently(client)
            }
            Verdict::Close => close_gently(client),
            Verdict::Reset => reset(client),
            Verdict::Silence => wait_for_the_end(client),
        }
    })?;
    Ok(backend.behind(front))
}

/// A relay before `backend` that changes the first byte of `needle` wherever the server sends it in the clear.
pub fn spoiling(backend: Server, needle: Vec<u8>) -> Result<Server, StartError> {
    let address = backend.address();
    let front = serve(move |client, _| {
        let server = TcpStream::connect(address)?;
        let (mut from_client, mut to_server) = (client.try_clone()?, server.try_clone()?);
        thread::spawn(move || {
            let _ = io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        let (mut from_server, mut to_client) = (server, client);
        loop {
            let mut buffer = [0; 16_384];
            let count = from_server.read(&mut buffer)?;
            let bytes = buffer.get_mut(..count).unwrap_or_default();
            let found = bytes.windows(needle.len().max(1)).position(|window| window == needle);
            if let Some(byte) = found.and_then(|at| bytes.get_mut(at)) {
                *byte ^= 1;
            }
            to_client.write_all(bytes)?;
            if count == 0 {
                return to_client.shutdown(Shutdown::Write);
            }
        }
    })?;
    Ok(backend.behind(front))
}

/// One address, several servers behind it, used in turn.
pub fn in_turn(backends: Vec<Server>) -> Result<Server, StartError> {
    let addresses: Vec<SocketAddr> = backends.iter().map(Server::address).collect();
    let next = AtomicUsize::new(0);
    let front = serve(move |client, _| {
        let turn = next.fetch_add(1, Ordering::Relaxed) % addresses.len().max(1);
        addresses.get(turn).map_or(Ok(()), |address| splice(client, *address, &[]))
    })?;
    Ok(backends.into_iter().fold(front, |front, backend| backend.behind(front)))
}

/// A relay to a port that counts the connections.
pub fn counted(port: u16, counter: Arc<AtomicUsize>) -> Result<Server, StartError> {
    let address = Server::at(port).address();
    serve(move |client, _| {
        counter.fetch_add(1, Ordering::SeqCst);
        splice(client, address, &[])
    })
}

/// A relay to a port that notes of each connection when it came and how many stood then, itself included. It is slow to pass
/// anything on, so that those that are made at once stand at once.
pub fn noting(port: u16, notes: Arc<std::sync::Mutex<Vec<(Instant, usize)>>>) -> Result<Server, StartError> {
    let address = Server::at(port).address();
    let standing = AtomicUsize::new(0);
    serve(move |client, _| {
        let now = standing.fetch_add(1, Ordering::SeqCst) + 1;
        if let Ok(mut notes) = notes.lock() {
            notes.push((Instant::now(), now));
        }
        thread::sleep(Duration::from_millis(100));
        let ended = splice(client, address, &[]);
        standing.fetch_sub(1, Ordering::SeqCst);
        ended
    })
}

/// A relay that resets every connection beyond `allowed` in one second.
pub fn rate_limited(backend: Server, allowed: usize) -> Result<Server, StartError> {
    let address = backend.address();
    let recent = std::sync::Mutex::new(Vec::<Instant>::new());
    let front = serve(move |client, _| {
        let over = recent.lock().map_or(true, |mut recent| {
            recent.retain(|earlier| earlier.elapsed() < Duration::from_secs(1));
            recent.push(Instant::now());
            recent.len() > allowed
        });
        if over { reset(client) } else { splice(client, address, &[]) }
    })?;
    Ok(backend.behind(front))
}

/// Sends `text` at once, and again as an answer to whatever comes, then closes.
pub fn banner(text: &'static str) -> Result<Server, StartError> {
    serve(move |mut client, _| {
        client.write_all(text.as_bytes())?;
        let _ = client.read(&mut [0; 4096])?;
        close_gently(client)
    })
}

/// Waits for the other side to speak, then sends `text` and closes.
pub fn answer(text: &'static str) -> Result<Server, StartError> {
    serve(move |mut client, _| {
        let _ = client.read(&mut [0; 4096])?;
        client.write_all(text.as_bytes())?;
        close_gently(client)
    })
}

/// Accepts and says nothing.
pub fn silent() -> Result<Server, StartError> {
    serve(|client, _| wait_for_the_end(client))
}

/// Closes each connection as soon as it is there (`reset`: with a reset).
pub fn closing(with_reset: bool) -> Result<Server, StartError> {
    serve(move |client, _| if with_reset { reset(client) } else { Ok(()) })
}

/// Closes each connection once the other side has spoken (`reset`: with a reset).
pub fn closing_after_hello(with_reset: bool) -> Result<Server, StartError> {
    serve(move |mut client, _| {
        read_hello(&mut client)?;
        if with_reset { reset(client) } else { close_gently(client) }
    })
}

/// Sends back what it gets.
pub fn echo() -> Result<Server, StartError> {
    serve(|client, _| {
        let mut back = client.try_clone()?;
        io::copy(&mut &client, &mut back).map(drop)
    })
}

/// HTTP for the files of a directory; a path that begins with `/to/` is redirected to what follows.
pub fn files(dir: PathBuf) -> Result<Server, StartError> {
    serve(move |mut client, _| {
        let mut request = Vec::new();
        while !request.windows(4).any(|end| end == b"\r\n\r\n") && request.len() < 16_384 {
            let mut buffer = [0; 4096];
            match client.read(&mut buffer)? {
                0 => return Ok(()),
                count => request.extend_from_slice(buffer.get(..count).unwrap_or_default()),
            }
        }
        let text = String::from_utf8_lossy(&request).into_owned();
        let path = text.split(' ').nth(1).unwrap_or_default();
        let answer = match (path.strip_prefix("/to"), fs::read(dir.join(path.trim_start_matches('/')))) {
            (Some(target), _) => format!("HTTP/1.1 302 Found\r\nLocation: {target}\r\n\r\n").into_bytes(),
            (None, Ok(body)) => {
                [format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", body.len()).into_bytes(), body].concat()
            }
            (None, Err(_)) => b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".to_vec(),
        };
        client.write_all(&answer)?;
        close_gently(client)
    })
}

/// Sends bytes without end.
pub fn endless() -> Result<Server, StartError> {
    serve(|mut client, _| {
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            client.write_all(&[b'A'; 65_536])?;
        }
        Ok(())
    })
}

/// Sends a ServerHello record whose body never ends: alternately empty fragments and tiny ones.
pub fn endless_records() -> Result<Server, StartError> {
    serve(|mut client, _| {
        read_hello(&mut client)?;
        client.write_all(&[0x16, 3, 3, 0, 4, 2, 0xff, 0xff, 0xff])?;
        let start = Instant::now();
        while start.elapsed() < PATIENCE {
            client.write_all(&[0x16, 3, 3, 0, 1, 0])?;
        }
        Ok(())
    })
}

/// A port whose connection requests the kernel drops: its queue of accepted connections is full.
pub fn dropping() -> Result<Server, StartError> {
    let mut server = Server::at(free_port());
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).map_err(StartError::of)?;
    // As the standard library's listeners: connections of the port's last user may still linger.
    let bound = socket.set_reuse_address(true).and_then(|()| socket.bind(&server.address().into()));
    bound.and_then(|()| socket.listen(0)).map_err(StartError::of)?;
    for _ in 0..4 {
        // Those that fit stay in the queue; the others are given up at once.
        if let Ok(filler) = TcpStream::connect_timeout(&server.address(), Duration::from_millis(100)) {
            server.keep(filler);
        }
    }
    server.keep(socket);
    Ok(server)
}

/// A port that nobody listens on.
pub fn closed() -> Server {
    Server::at(free_port())
}

/// A server that knows SSLv2 alone (Hickman, "The SSL Protocol", 1995): it answers a CLIENT-HELLO in that format with
/// a SERVER-HELLO, and closes on anything else.
pub fn sslv2(certificate_der: Vec<u8>) -> Result<Server, StartError> {
    serve(move |mut client, _| {
        let mut buffer = [0; 4096];
        let length = client.read(&mut buffer)?;
        let hello = buffer.get(..length).unwrap_or_default();
        if hello.len() > 3 && hello[0] & 0x80 != 0 && hello[2] == 1 {
            client.write_all(&sslv2_server_hello(&certificate_der))?;
            return wait_for_the_end(client);
        }
        close_gently(client)
    })
}

fn sslv2_server_hello(certificate: &[u8]) -> Vec<u8> {
    let kinds = [0x01, 0x00, 0x80, 0x07, 0x00, 0xc0]; // RC4 with 128 bits, triple DES
    let length = |count: usize| u16::try_from(count).unwrap_or(u16::MAX).to_be_bytes();
    let mut body = vec![4, 0, 1, 0, 2];
    body.extend(length(certificate.len()));
    body.extend(length(kinds.len()));
    body.extend(length(16));
    body.extend(certificate);
    body.extend(kinds);
    body.extend([0x5a; 16]);
    let mut record = (0x8000 | u16::try_from(body.len()).unwrap_or(0x7fff)).to_be_bytes().to_vec();
    record.extend(body);
    record
}

/// Ends the accepting thread by one last connection.
struct Stop {
    address: SocketAddr,
    stop: Arc<AtomicBool>,
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        let _ = TcpStream::connect_timeout(&self.address, Duration::from_secs(1));
    }
}

fn splice(client: TcpStream, address: SocketAddr, first: &[u8]) -> io::Result<()> {
    let mut server = TcpStream::connect(address)?;
    server.write_all(first)?;
    let (mut from_server, mut to_client) = (server.try_clone()?, client.try_clone()?);
    let back = thread::spawn(move || {
        let _ = io::copy(&mut from_server, &mut to_client);
        let _ = to_client.shutdown(Shutdown::Write);
    });
    let _ = io::copy(&mut &client, &mut server);
    let _ = server.shutdown(Shutdown::Write);
    let _ = back.join();
    Ok(())
}

/// Closes without a reset: what the other side still sends is read first.
fn close_gently(mut client: TcpStream) -> io::Result<()> {
    client.shutdown(Shutdown::Write)?;
    client.set_read_timeout(Some(Duration::from_millis(300)))?;
    while client.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

fn reset(client: TcpStream) -> io::Result<()> {
    SockRef::from(&client).set_linger(Some(Duration::ZERO))
}

fn wait_for_the_end(mut client: TcpStream) -> io::Result<()> {
    while client.read(&mut [0; 4096])? > 0 {}
    Ok(())
}

/// Reads until a whole ClientHello is there (or what came cannot be one).
fn read_hello(client: &mut TcpStream) -> io::Result<Hello> {
    let mut hello = Hello::default();
    loop {
        let mut buffer = [0; 16_384];
        let count = client.read(&mut buffer)?;
        if hello.bytes.is_empty() {
            hello.first_read = count;
        }
        hello.bytes.extend_from_slice(buffer.get(..count).unwrap_or_default());
        let (message, records) = join_records(&hello.bytes);
        hello.records = records;
        let need = match message.get(..4) {
            Some(&[1, high, middle, low]) => 4 + u32::from_be_bytes([0, high, middle, low]) as usize,
            Some(_) => return Ok(hello),
            None => usize::MAX,
        };
        if message.len() >= need {
            hello.length = need;
            let _ = hello.read_fields(&message);
            return Ok(hello);
        }
        if count == 0 || hello.bytes.first() != Some(&0x16) || hello.bytes.len() > 70_000 {
            return Ok(hello);
        }
    }
}

/// The contents of the handshake records so far, and how many there are.
fn join_records(bytes: &[u8]) -> (Vec<u8>, usize) {
    let (mut message, mut rest, mut records) = (Vec::new(), bytes, 0);
    while let [0x16, _, _, high, low, tail @ ..] = rest {
        let length = u16::from_be_bytes([*high, *low]) as usize;
        records += 1;
        message.extend_from_slice(tail.get(..length).unwrap_or(tail));
        rest = tail.get(length..).unwrap_or_default();
    }
    (message, records)
}

impl Hello {
    /// RFC 8446 §4.1.2.
    fn read_fields(&mut self, message: &[u8]) -> Option<()> {
        let mut rest = message.get(4..)?;
        self.legacy_version = take_u16(&mut rest)?;
        take(&mut rest, 32)?;
        let session = *take(&mut rest, 1)?.first()?;
        take(&mut rest, session.into())?;
        let suites = take_u16(&mut rest)?;
        self.suites = pairs(take(&mut rest, suites.into())?);
        let compression = *take(&mut rest, 1)?.first()?;
        take(&mut rest, compression.into())?;
        take_u16(&mut rest)?;
        while !rest.is_empty() {
            let (code, length) = (take_u16(&mut rest)?, take_u16(&mut rest)?);
            let body = take(&mut rest, length.into())?;
            self.extensions.push(code);
            if code == 43 {
                self.versions = pairs(body.get(1..)?);
            }
        }
        Some(())
    }

    /// Whether any suite, extension or version is a GREASE value (RFC 8701).
    pub fn greases(&self) -> bool {
        let grease = |code: &u16| code & 0x0f0f == 0x0a0a && code >> 8 == code & 0xff;
        self.suites.iter().chain(&self.extensions).chain(&self.versions).any(grease)
    }
}

fn take<'a>(rest: &mut &'a [u8], count: usize) -> Option<&'a [u8]> {
    let (taken, left) = rest.split_at_checked(count)?;
    *rest = left;
    Some(taken)
}

fn take_u16(rest: &mut &[u8]) -> Option<u16> {
    take(rest, 2).and_then(|two| two.try_into().ok()).map(u16::from_be_bytes)
}

fn pairs(bytes: &[u8]) -> Vec<u16> {
    bytes.chunks_exact(2).map(|two| u16::from_be_bytes([two[0], two[1]])).collect()
}
