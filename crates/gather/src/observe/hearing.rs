//! The first words of a client that connects to us.

use std::time::Duration;

use tlswhy_model::printable;
use tlswhy_wire::client_hello::from_records;
use tlswhy_wire::dialogue::Step;
use tlswhy_wire::upgrade::Upgrade;
use tlswhy_wire::{ClientHello, DecodeErrorKind, ProtocolVersion};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::time::timeout;

/// The most that is read of one client, in bytes: as long as the longest hello that is read at all, with its record headers.
const MOST_HEARD: usize = 80 * 1024;

/// What a client sent first, and every byte of it; where TLS starts within another protocol, from there on.
#[derive(Clone, Debug)]
pub struct Heard {
    /// What it is.
    pub words: FirstWords,
    /// The bytes, as they came.
    pub received: Vec<u8>,
}

/// What the first bytes of a client are.
#[derive(Clone, Debug)]
pub enum FirstWords {
    /// A ClientHello, with the version in its first record.
    Hello(ProtocolVersion, Box<ClientHello>),
    /// Something that is not TLS; its beginning, printable.
    NotTls(String),
    /// TLS that cannot be read, and where.
    Unreadable(String),
    /// It did not ask for TLS within the protocol that it was served; why it cannot any more.
    NotAsked(String),
    /// It closed the connection before a hello was complete.
    Closed,
    /// It did not complete a hello in the time.
    TooSlow,
}

/// Hears a client until its hello is complete or cannot become one, for so long at most in all. Where an upgrade is given, the
/// client is spoken to in its protocol first.
pub async fn hear(stream: &mut (impl AsyncRead + AsyncWrite + Unpin), upgrade: Option<&Upgrade>, patience: Duration) -> Heard {
    let mut received = Vec::new();
    let heard = async {
        if let Some(upgrade) = upgrade
            && let Err(otherwise) = talk(stream, upgrade, &mut received).await
        {
            return otherwise;
        }
        listen(stream, &mut received).await
    };
    let words = timeout(patience, heard).await.unwrap_or(FirstWords::TooSlow);
    Heard { words, received }
}

/// Serves a protocol up to where TLS starts; what came behind is left in `received`.
async fn talk(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    upgrade: &Upgrade,
    received: &mut Vec<u8>,
) -> Result<(), FirstWords> {
    let mut dialogue = (upgrade.serve)();
    loop {
        let (send, consumed, is_ready) = match dialogue.receive(received) {
            Step::Continue { send } => (send, received.len(), false),
            Step::Ready { send, consumed } => (send, consumed, true),
            Step::Refused { reason } => return Err(FirstWords::NotAsked(reason)),
        };
        received.drain(..consumed.min(received.len()));
        // A connection that breaks ends like one that is closed.
        stream.write_all(&send).await.map_err(|_| FirstWords::Closed)?;
        if is_ready {
            return Ok(());
        }
        if stream.read_buf(received).await.unwrap_or(0) == 0 {
            return Err(FirstWords::Closed);
        }
    }
}

async fn listen(stream: &mut (impl AsyncRead + Unpin), received: &mut Vec<u8>) -> FirstWords {
    loop {
        // Some of it may have come behind the words that asked for TLS.
        if let Some(words) = words(received) {
            return words;
        }
        // A connection that breaks ends like one that is closed: the hello did not come.
        if stream.read_buf(received).await.unwrap_or(0) == 0 {
            return FirstWords::Closed;
        }
    }
}

/// What these bytes are; `None` while that is open.
fn words(received: &[u8]) -> Option<FirstWords> {
    if received.is_empty() {
        return None;
    }
    if !looks_like_tls(received) {
        let line = received.split(|byte| *byte == b'\n').next().unwrap_or_default();
        return Some(FirstWords::NotTls(printable(&String::from_utf8_lossy(line), 200)));
    }
    match from_records(received) {
        Ok((version, hello)) => Some(FirstWords::Hello(version, Box::new(hello))),
        Err(error) if matches!(error.kind, DecodeErrorKind::Truncated { .. }) && received.len() < MOST_HEARD => None,
        Err(error) => Some(FirstWords::Unreadable(error.to_string())),
    }
}

/// Whether it can still become a ClientHello: a handshake record (RFC 8446 §5.1), or the SSLv2 form, whose message type stands
/// behind a length of two bytes (RFC 5246 §E.2).
fn looks_like_tls(bytes: &[u8]) -> bool {
    match bytes {
        [22] | [22, 3, ..] => true,
        [first] | [first, _] => first & 0x80 != 0,
        [first, _, message_type, ..] => first & 0x80 != 0 && *message_type == 1,
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tlswhy_wire::{CipherSuite, HelloSpec, KeyMaterial};

    fn heard(pieces: Vec<Vec<u8>>, close: bool) -> Heard {
        heard_behind(None, pieces, close)
    }

    fn heard_behind(upgrade: Option<&Upgrade>, pieces: Vec<Vec<u8>>, close: bool) -> Heard {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (mut ours, mut theirs) = tokio::io::duplex(256);
            let writer = tokio::spawn(async move {
                for piece in pieces {
                    if theirs.write_all(&piece).await.is_err() {
                        break;
                    }
                    tokio::task::yield_now().await;
                }
                (!close).then_some(theirs)
            });
            let heard = hear(&mut ours, upgrade, Duration::from_millis(200)).await;
            drop(ours);
            let _ = writer.await;
            heard
        })
    }

    fn hello() -> Vec<u8> {
        let spec = HelloSpec { cipher_suites: vec![CipherSuite(0x1301), CipherSuite(0xc02f)], ..HelloSpec::default() };
        spec.encode(&KeyMaterial::default()).unwrap().records
    }

    #[test]
    fn a_hello_is_read_in_any_pieces() {
        let bytes = hello();
        let single: Vec<Vec<u8>> = bytes.iter().map(|byte| vec![*byte]).collect();
        for pieces in [vec![bytes.clone()], single] {
            let heard = heard(pieces, false);
            assert!(matches!(&heard.words, FirstWords::Hello(_, hello) if hello.cipher_suites.len() == 2), "{heard:?}");
            assert_eq!(heard.received, bytes);
        }
    }

    #[test]
    fn every_other_beginning_is_told_apart() {
        assert!(matches!(heard(vec![], true).words, FirstWords::Closed));
        assert!(matches!(heard(vec![], false).words, FirstWords::TooSlow));
        assert!(matches!(heard(vec![hello()[..20].to_vec()], true).words, FirstWords::Closed));
        let http = heard(vec![b"GET / HTTP/1.1\r\nHost: \x1b[2J\r\n".to_vec()], false);
        assert!(matches!(&http.words, FirstWords::NotTls(line) if line.starts_with("GET /")), "{http:?}");
        // A record of a handshake that is no ClientHello.
        let heard = heard(vec![vec![22, 3, 1, 0, 4, 2, 0, 0, 0]], false);
        assert!(matches!(heard.words, FirstWords::Unreadable(_)), "{heard:?}");
    }

    #[test]
    fn a_hello_behind_an_upgrade_is_heard_even_if_it_comes_too_early() {
        let smtp = tlswhy_wire::upgrade::upgrade("smtp");
        let asks = b"EHLO a\r\nSTARTTLS\r\n".to_vec();
        for pieces in [vec![asks.clone(), hello()], vec![[asks, hello()].concat()]] {
            let heard = heard_behind(smtp, pieces, false);
            assert!(matches!(&heard.words, FirstWords::Hello(..)), "{heard:?}");
            assert_eq!(heard.received, hello());
        }
        let heard = heard_behind(smtp, vec![b"EHLO a\r\nQUIT\r\n".to_vec()], false);
        assert!(matches!(&heard.words, FirstWords::NotAsked(why) if why.contains("QUIT")), "{heard:?}");
    }

    #[test]
    fn a_hello_without_end_is_given_up() {
        let mut pieces = vec![vec![22, 3, 1, 0x40, 0, 1, 0xff, 0xff, 0xff]];
        pieces.extend(std::iter::repeat_n(vec![0; 64], 4000));
        let heard = heard(pieces, false);
        assert!(matches!(heard.words, FirstWords::Unreadable(_)), "{:?}", heard.words);
        assert!(heard.received.len() <= 2 * MOST_HEARD, "{}", heard.received.len());
    }
}
