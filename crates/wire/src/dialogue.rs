//! The plaintext talk before TLS starts, as state machines fed with bytes.
//!
//! A [`Dialogue`] opens no socket: its owner feeds it what arrived, in any fragmentation, and sends what it says.
//! STARTTLS ([`crate::upgrade`]) and proxies ([`crate::tunnel`]) are both dialogues, so they stack: tunnel first, then upgrade.

use std::fmt::Write;

/// The most bytes that a peer may say before TLS starts; more is a refusal.
pub const LIMIT: usize = 64 * 1024;

/// A talk that ends where TLS may start, or in a refusal.
pub trait Dialogue: Send {
    /// Takes what has arrived, and says what to do next.
    ///
    /// Called first with `b""` when the connection stands. The result depends on the bytes alone, never on how they were cut.
    /// After [`Step::Ready`] or [`Step::Refused`] the dialogue is over; calling again repeats that ending and sends nothing.
    fn receive(&mut self, bytes: &[u8]) -> Step;
}

/// What to do after some bytes have arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Send these bytes (maybe none), then wait for more.
    Continue {
        /// Bytes for the peer.
        send: Vec<u8>,
    },
    /// Send these bytes (maybe none); the next byte from either side belongs to TLS, or to the next dialogue.
    Ready {
        /// Bytes for the peer.
        send: Vec<u8>,
        /// How many bytes of the last input belonged to this dialogue. A peer that says more before it has seen
        /// a ClientHello is broken, or somebody on the path injects plaintext.
        consumed: usize,
    },
    /// TLS will not start here.
    Refused {
        /// What the peer said or did, in plain words, its own words escaped and cut.
        reason: String,
    },
}

/// A protocol's own part of a dialogue: it looks at the unread bytes and understands one message at a time.
pub(crate) trait Script: Send {
    /// Who answers, as a refusal calls it.
    const PEER: &'static str = "the server";

    /// What we say before the peer has said anything; an error refuses before a byte is sent.
    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(Vec::new())
    }

    /// Reads one message from the start of `input`, which is never empty.
    fn read(&mut self, input: &[u8]) -> Turn;
}

/// What a [`Script`] makes of the unread bytes.
pub(crate) enum Turn {
    /// The message is not complete yet.
    Wait,
    /// `used` bytes are understood, `send` answers them; the talk goes on.
    Next { used: usize, send: Vec<u8> },
    /// `used` bytes are understood, `send` is our last word before TLS.
    Ready { used: usize, send: Vec<u8> },
    /// No TLS, for this reason.
    Refused(String),
}

impl Turn {
    /// `used` bytes are understood and need no answer.
    pub(crate) fn skip(used: usize) -> Turn {
        Turn::Next { used, send: Vec::new() }
    }

    /// `used` bytes are understood, and `command` (with its line end) answers them.
    pub(crate) fn say(used: usize, command: &str) -> Turn {
        Turn::Next { used, send: command.as_bytes().to_vec() }
    }

    /// `used` bytes are understood; TLS may start.
    pub(crate) fn ready(used: usize) -> Turn {
        Turn::Ready { used, send: Vec::new() }
    }
}

/// A [`Script`] and the bytes that it has not understood yet.
pub(crate) struct Driver<S> {
    script: S,
    unread: Vec<u8>,
    /// Bytes understood so far, bounded by [`LIMIT`].
    understood: usize,
    opened: bool,
    ending: Option<Step>,
}

impl<S: Script + 'static> Driver<S> {
    pub(crate) fn start(script: S) -> Box<dyn Dialogue> {
        Box::new(Driver { script, unread: Vec::new(), understood: 0, opened: false, ending: None })
    }

    fn advance(&mut self, bytes: &[u8]) -> Step {
        let mut send = Vec::new();
        if !self.opened {
            self.opened = true;
            match self.script.opening() {
                Ok(opening) => send = opening,
                Err(reason) => return Step::Refused { reason },
            }
        }
        let kept = self.unread.len();
        // One byte past the limit is enough to know that it was passed.
        let room = (LIMIT + 1).saturating_sub(self.understood + kept);
        self.unread.extend_from_slice(bytes.get(..room).unwrap_or(bytes));
        let mut read = 0;
        loop {
            let input = self.unread.get(read..).unwrap_or_default();
            let turn = match (input.is_empty(), tls_record(input)) {
                (true, _) | (_, Sign::Perhaps) => Turn::Wait,
                (_, Sign::Yes) => Turn::Refused(format!("{} speaks TLS at once", S::PEER)),
                (_, Sign::No) => self.script.read(input),
            };
            let (used, said, ready) = match turn {
                Turn::Wait if self.understood + input.len() > LIMIT => return too_long::<S>(),
                Turn::Wait => break,
                Turn::Refused(reason) => return Step::Refused { reason },
                Turn::Next { used, send } => (used, send, false),
                Turn::Ready { used, send } => (used, send, true),
            };
            read += used;
            self.understood += used;
            send.extend(said);
            if self.understood > LIMIT {
                return too_long::<S>();
            }
            if ready {
                return Step::Ready { send, consumed: read.saturating_sub(kept) };
            }
        }
        self.unread.drain(..read.min(self.unread.len()));
        Step::Continue { send }
    }
}

impl<S: Script + 'static> Dialogue for Driver<S> {
    fn receive(&mut self, bytes: &[u8]) -> Step {
        if let Some(ending) = &self.ending {
            return ending.clone();
        }
        let step = self.advance(bytes);
        self.ending = match &step {
            Step::Continue { .. } => None,
            Step::Ready { .. } => Some(Step::Ready { send: Vec::new(), consumed: 0 }),
            Step::Refused { .. } => Some(step.clone()),
        };
        step
    }
}

fn too_long<S: Script>() -> Step {
    Step::Refused { reason: format!("{} said more than {LIMIT} bytes before TLS could start", S::PEER) }
}

enum Sign {
    Yes,
    No,
    /// Too few bytes to tell.
    Perhaps,
}

/// Whether these bytes begin a TLS handshake or alert record, where a message of the plaintext protocol should begin.
fn tls_record(input: &[u8]) -> Sign {
    match *input {
        [0x15 | 0x16] | [0x15 | 0x16, 3] => Sign::Perhaps,
        [0x15 | 0x16, 3, 0..=4, ..] => Sign::Yes,
        _ => Sign::No,
    }
}

/// One line of a text protocol.
pub(crate) enum Line<'a> {
    /// Its end has not arrived.
    Partial,
    /// Without its line end; `used` counts it. A bare LF ends a line too.
    Whole { text: &'a [u8], used: usize },
    /// A control character that no text protocol sends; the bytes up to it, and it.
    NotText(&'a [u8]),
}

/// Reads the first line of `input`.
pub(crate) fn line(input: &[u8]) -> Line<'_> {
    let stop = input.iter().position(|&byte| byte < b' ' && !matches!(byte, b'\t' | b'\r' | 0x1b));
    let Some(stop) = stop else {
        return Line::Partial;
    };
    if input.get(stop) == Some(&b'\n') {
        let text = input.get(..stop).unwrap_or_default();
        Line::Whole { text: text.strip_suffix(b"\r").unwrap_or(text), used: stop + 1 }
    } else {
        Line::NotText(input.get(..=stop).unwrap_or(input))
    }
}

/// The peer's words in double quotes, escaped, at most 200 characters of them.
pub(crate) fn quote(bytes: &[u8]) -> String {
    format!("\"{}\"", printable(bytes))
}

/// `bytes` as printable ASCII: anything else as `\xNN`, at most 200 characters, then `…`.
pub(crate) fn printable(bytes: &[u8]) -> String {
    let mut text = String::new();
    for &byte in bytes {
        let width = if matches!(byte, b' '..=b'~') { 1 } else { 4 };
        if text.len() + width > 200 {
            text.push('…');
            break;
        }
        if width == 1 {
            text.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(text, "\\x{byte:02x}");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Waits for a line "go", and starts TLS.
    struct Go;

    impl Script for Go {
        fn read(&mut self, input: &[u8]) -> Turn {
            match line(input) {
                Line::Partial => Turn::Wait,
                Line::Whole { text: b"go", used } => Turn::ready(used),
                Line::Whole { used, .. } => Turn::say(used, "?"),
                Line::NotText(text) => Turn::Refused(quote(text)),
            }
        }
    }

    #[test]
    fn consumed_counts_the_last_input_only() {
        let mut dialogue = Driver::start(Go);
        assert_eq!(dialogue.receive(b""), Step::Continue { send: vec![] });
        assert_eq!(dialogue.receive(b"a\nb\r\ng"), Step::Continue { send: b"??".to_vec() });
        assert_eq!(dialogue.receive(b"o\r\nrest"), Step::Ready { send: vec![], consumed: 3 });
        assert_eq!(dialogue.receive(b"rest"), Step::Ready { send: vec![], consumed: 0 });
    }

    #[test]
    fn a_tls_record_is_told_from_text_in_any_fragmentation() {
        let mut dialogue = Driver::start(Go);
        assert_eq!(dialogue.receive(b"\x15"), Step::Continue { send: vec![] });
        assert_eq!(dialogue.receive(b"\x03"), Step::Continue { send: vec![] });
        let refused = Step::Refused { reason: "the server speaks TLS at once".into() };
        assert_eq!(dialogue.receive(b"\x01"), refused);
        assert_eq!(dialogue.receive(b"go\n"), refused);
        assert_eq!(Driver::start(Go).receive(b"\x16\x04"), Step::Refused { reason: "\"\\x16\"".into() });
    }

    #[test]
    fn the_limit_does_not_depend_on_fragmentation() {
        for (noise, ready) in [(LIMIT - 3, true), (LIMIT - 2, false)] {
            let mut stream = vec![b'x'; noise - 1];
            stream.extend(b"\ngo\n");
            for size in [61, 4096, stream.len()] {
                let mut dialogue = Driver::start(Go);
                let last = stream.chunks(size).map(|chunk| dialogue.receive(chunk)).last();
                assert_eq!(matches!(last, Some(Step::Ready { .. })), ready, "{noise} {size}");
            }
        }
        let mut dialogue = Driver::start(Go);
        assert!(matches!(dialogue.receive(&vec![b'x'; 10 * LIMIT]), Step::Refused { .. }));
    }

    #[test]
    fn quotes_are_escaped_and_cut() {
        assert_eq!(quote(b"a\x00\xc3"), "\"a\\x00\\xc3\"");
        assert_eq!(printable(&[b'x'; 300]).chars().count(), 201);
        assert_eq!(printable(&[0; 300]).chars().count(), 201);
    }
}
