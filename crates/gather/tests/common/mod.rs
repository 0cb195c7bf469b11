//! What the tests share: hellos, probes, scripted peers and real servers.
#![allow(dead_code, unreachable_pub, reason = "each test file uses its part")]
#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "this is test code")]

use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use tlswhy_gather::Live;
use tlswhy_model::{Answer, Asked, Attempt, Depth, Opening, Probe, Question};
use tlswhy_wire::{CipherSuite, ExtensionSpec, HelloSpec, NamedGroup, ProtocolVersion, SignatureScheme};
use tokio::net::{TcpListener, TcpStream};

pub const ALL_VERSIONS: [ProtocolVersion; 4] =
    [ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_0];

/// A hello that gets along with nearly every server.
pub fn hello() -> HelloSpec {
    let suites = [
        CipherSuite::TLS_AES_128_GCM_SHA256,
        CipherSuite::TLS_AES_256_GCM_SHA384,
        CipherSuite::TLS_CHACHA20_POLY1305_SHA256,
        CipherSuite::TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
        CipherSuite::TLS_DHE_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA,
        CipherSuite::TLS_RSA_WITH_AES_128_GCM_SHA256,
        CipherSuite::TLS_RSA_WITH_AES_128_CBC_SHA,
    ];
    let schemes = [
        SignatureScheme::ECDSA_SECP256R1_SHA256,
        SignatureScheme::RSA_PSS_RSAE_SHA256,
        SignatureScheme::RSA_PKCS1_SHA256,
        SignatureScheme::RSA_PKCS1_SHA1,
        SignatureScheme::ECDSA_SHA1,
    ];
    let groups = [NamedGroup::X25519, NamedGroup::SECP256R1, NamedGroup::SECP384R1, NamedGroup::SECP521R1];
    let extensions = vec![
        ExtensionSpec::ServerName("server.test".to_owned()),
        ExtensionSpec::ExtendedMasterSecret,
        ExtensionSpec::RenegotiationInfo,
        ExtensionSpec::SupportedGroups(groups.to_vec()),
        ExtensionSpec::EcPointFormats(vec![0]),
        ExtensionSpec::EncryptThenMac,
        ExtensionSpec::SessionTicket,
        ExtensionSpec::SignatureAlgorithms(schemes.to_vec()),
        ExtensionSpec::SupportedVersions(vec![ProtocolVersion::TLSV1_3, ProtocolVersion::TLSV1_2]),
        ExtensionSpec::PskKeyExchangeModes(vec![1]),
        ExtensionSpec::KeyShare(vec![NamedGroup::X25519]),
    ];
    HelloSpec { cipher_suites: suites.to_vec(), session_id_length: 32, extensions: Some(extensions), ..HelloSpec::default() }
}

/// Short time-outs, so that silence does not cost seconds.
pub fn live() -> Live {
    Live {
        connect_timeout: Duration::from_millis(400),
        tls_timeout: Duration::from_millis(if std::env::var_os("CI").is_some() { 4000 } else { 2000 }),
        ..Live::default()
    }
}

pub fn probe_of(address: SocketAddr, opening: Opening, depth: Depth) -> Probe {
    Probe {
        host: "server.test".to_owned(),
        port: address.port(),
        address: Some(address.ip()),
        upgrade: None,
        opening,
        depth,
        with_identity: false,
        trial: None,
        repetition: 0,
    }
}

pub async fn attempt(live: &Live, probe: Probe) -> Attempt {
    let question = Question::Probe(Box::new(probe));
    let asked = vec![Asked { id: 7, round: 1, question, purpose: "test".to_owned() }];
    match live.ask(asked, Instant::now()).await.pop() {
        Some((7, Answer::Attempted(attempt))) => *attempt,
        other => panic!("no attempt: {other:?}"),
    }
}

pub async fn try_hello(address: SocketAddr, hello: HelloSpec, depth: Depth) -> Attempt {
    attempt(&live(), probe_of(address, Opening::Hello { hello }, depth)).await
}

/// A listener whose connections go, one after the other, to the script.
pub async fn peer<F, Fut>(script: F) -> SocketAddr
where
    F: Fn(TcpStream) -> Fut + Send + 'static,
    Fut: Future<Output = ()> + Send + 'static,
{
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(script(stream));
        }
    });
    address
}

/// A directory with keys and certificates, made once.
pub fn keys() -> &'static PathBuf {
    static KEYS: OnceLock<PathBuf> = OnceLock::new();
    KEYS.get_or_init(|| {
        let directory = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("gather-{}", std::process::id()));
        std::fs::create_dir_all(&directory).unwrap();
        for (name, key) in [("rsa", "rsa:2048"), ("rsa1024", "rsa:1024"), ("ec", "ec")] {
            let mut command = Command::new("openssl");
            command.args(["req", "-x509", "-nodes", "-days", "30", "-subj", "/CN=server.test", "-newkey", key]);
            if key == "ec" {
                command.args(["-pkeyopt", "ec_paramgen_curve:P-256"]);
            }
            command.arg("-keyout").arg(directory.join(format!("{name}.key")));
            command.arg("-out").arg(directory.join(format!("{name}.pem")));
            let output = command.output().unwrap();
            assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        }
        directory
    })
}

/// Whether a program is there; says so if it is not.
pub fn is_there(program: &str) -> bool {
    let there = Command::new(program).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status().is_ok();
    if !there {
        eprintln!("skipped: no {program} on this machine");
    }
    there
}

/// A server process that is killed when it is dropped.
pub struct Server {
    child: Child,
    pub address: SocketAddr,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Starts a program that will listen on `port` of the loopback interface, and waits for it.
pub async fn serve(port: u16, mut command: Command) -> Server {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let server = Server { child, address };
    for _ in 0..500 {
        if TcpStream::connect(address).await.is_ok() {
            return server;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{command:?} does not listen");
}

pub fn free_port() -> u16 {
    std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// `openssl s_server` with a key of this name and these options.
pub async fn s_server(key: &str, options: &[&str]) -> Server {
    let port = free_port();
    let mut command = Command::new("openssl");
    command.args(["s_server", "-quiet", "-accept"]).arg(format!("127.0.0.1:{port}"));
    command.arg("-key").arg(keys().join(format!("{key}.key")));
    command.arg("-cert").arg(keys().join(format!("{key}.pem"))).args(options);
    serve(port, command).await
}

/// Writes a file into the directory of the keys.
pub fn file(name: &str, content: &str) -> PathBuf {
    let path = keys().join(name);
    std::fs::File::create(&path).unwrap().write_all(content.as_bytes()).unwrap();
    path
}
