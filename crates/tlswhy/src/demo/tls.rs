//! Servers of TLS 1.2 and 1.3 out of rustls, restricted as a scene wants them, perhaps behind something that judges the
//! ClientHello first.

use std::io;
use std::sync::Arc;

use jiff::Timestamp;
use rustls::crypto::{CryptoProvider, SupportedKxGroup, aws_lc_rs};
use rustls::pki_types::{CertificateDer, PrivatePkcs8KeyDer};
use rustls::server::WebPkiClientVerifier;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::version::{TLS12, TLS13};
use rustls::{RootCertStore, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::{AlertDescription, AlertLevel, ClientHello, ContentType, DecodeErrorKind};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;

use super::authority::{Authority, Credentials, SOUND};
use super::peer::Peer;
use crate::serving::{close_gently, converse};

/// The longest beginning that is read as a ClientHello, in bytes.
const LONGEST_HELLO: usize = 1 << 16;

/// What a server accepts.
#[derive(Clone, Copy)]
pub(super) struct Tls {
    pub(super) credentials: Credentials,
    pub(super) versions: &'static [&'static SupportedProtocolVersion],
    /// Keeps a suite.
    pub(super) suite: fn(&SupportedCipherSuite) -> bool,
    /// Keeps a group.
    pub(super) group: fn(&&'static dyn SupportedKxGroup) -> bool,
    /// Application protocols; none means that ALPN is not looked at.
    pub(super) alpn: &'static [&'static str],
    pub(super) client_certificate: bool,
    /// What is asked before the ClientHello reaches TLS.
    pub(super) gate: fn(&ClientHello) -> Gate,
    /// Whether it speaks SMTP until STARTTLS.
    pub(super) smtp: bool,
}

/// What becomes of a ClientHello.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Gate {
    /// TLS gets it.
    Open,
    /// The connection is closed without a word.
    Closed,
    /// The connection ends with this fatal alert.
    Alert(AlertDescription),
}

/// TLS 1.2 alone.
pub(super) const ONLY_TLS12: &[&SupportedProtocolVersion] = &[&TLS12];
/// TLS 1.3 alone.
pub(super) const ONLY_TLS13: &[&SupportedProtocolVersion] = &[&TLS13];

/// A current server without fault; scenes take something away.
pub(super) const HEALTHY: Tls = Tls {
    credentials: SOUND,
    versions: &[&TLS13, &TLS12],
    suite: |_| true,
    group: |_| true,
    alpn: &[],
    client_certificate: false,
    gate: |_| Gate::Open,
    smtp: false,
};

/// Starts the server; needs a runtime.
pub(super) fn serve(tls: Tls, authority: &Authority) -> io::Result<Peer> {
    let config = Arc::new(config(&tls, authority).map_err(io::Error::other)?);
    Peer::serve(move |stream| {
        let config = Arc::clone(&config);
        async move {
            let stream = if tls.smtp { speak_smtp(stream).await? } else { stream };
            answer(stream, config, tls.gate).await
        }
    })
}

fn config(tls: &Tls, authority: &Authority) -> Result<ServerConfig, Box<dyn std::error::Error + Send + Sync>> {
    let everything = aws_lc_rs::default_provider();
    let provider = Arc::new(CryptoProvider {
        cipher_suites: everything.cipher_suites.iter().copied().filter(tls.suite).collect(),
        kx_groups: everything.kx_groups.iter().copied().filter(tls.group).collect(),
        ..everything.clone()
    });
    let builder = ServerConfig::builder_with_provider(Arc::clone(&provider)).with_protocol_versions(tls.versions)?;
    let builder = if tls.client_certificate {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from(authority.root().to_vec()))?;
        builder.with_client_cert_verifier(WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider).build()?)
    } else {
        builder.with_no_client_auth()
    };
    let identity = authority.identity(&tls.credentials)?;
    let key = everything.key_provider.load_private_key(PrivatePkcs8KeyDer::from(identity.key).into())?;
    // The library's own way to this insists that key and certificate belong together.
    let mut certified = CertifiedKey::new(identity.chain.into_iter().map(CertificateDer::from).collect(), key);
    certified.ocsp = identity.staple;
    let mut config = builder.with_cert_resolver(Arc::new(SingleCertAndKey::from(certified)));
    config.alpn_protocols = tls.alpn.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(config)
}

/// Reads the ClientHello, asks the gate, and goes on as that says.
async fn answer(mut stream: TcpStream, config: Arc<ServerConfig>, gate: fn(&ClientHello) -> Gate) -> io::Result<()> {
    let mut received = Vec::new();
    let verdict = loop {
        if stream.read_buf(&mut received).await? == 0 {
            return Ok(());
        }
        match from_records(&received) {
            Ok((_, hello)) => break gate(&hello),
            Err(error) if matches!(error.kind, DecodeErrorKind::Truncated { .. }) && received.len() < LONGEST_HELLO => {}
            // rustls says what is wrong with it.
            Err(_) => break Gate::Open,
        }
    };
    match verdict {
        Gate::Open => converse(stream, config, received, nothing_here).await.map(drop),
        Gate::Closed => close_gently(stream).await,
        Gate::Alert(description) => {
            stream.write_all(&[ContentType::ALERT.0, 3, 3, 0, 2, AlertLevel::FATAL.0, description.0]).await?;
            close_gently(stream).await
        }
    }
}

/// The answer to any request of HTTP. Its date is what it is good for (RFC 9110 §6.6.1).
fn nothing_here() -> String {
    let date = Timestamp::now().strftime("%a, %d %b %Y %H:%M:%S GMT");
    format!("HTTP/1.1 404 Not Found\r\nDate: {date}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
}

/// Speaks SMTP until the client has asked for TLS (RFC 3207).
async fn speak_smtp(stream: TcpStream) -> io::Result<TcpStream> {
    const LONGEST_LINE: u64 = 1000;
    let mut stream = BufReader::new(stream);
    stream.write_all(b"220 mail.example.test ESMTP\r\n").await?;
    loop {
        let mut line = Vec::new();
        (&mut stream).take(LONGEST_LINE).read_until(b'\n', &mut line).await?;
        if line.is_empty() {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let verb = String::from_utf8_lossy(&line).trim().to_ascii_uppercase();
        let reply: &[u8] = match verb.split(' ').next() {
            Some("EHLO") => b"250-mail.example.test\r\n250 STARTTLS\r\n",
            Some("STARTTLS") => b"220 Ready to start TLS\r\n",
            Some("QUIT") => b"221 Bye\r\n",
            _ => b"502 Command not implemented\r\n",
        };
        stream.write_all(reply).await?;
        if verb == "STARTTLS" {
            return Ok(stream.into_inner());
        }
    }
}
