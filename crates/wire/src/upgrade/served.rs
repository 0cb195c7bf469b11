//! The server's side of upgrades that speak in lines, for clients that come to us: tables of what is said to which command.

use crate::dialogue::{Dialogue, Driver, Line, Script, Turn, line, quote};

/// What a server says that offers nothing but TLS. Every text ends its lines; in the answers `{tag}` is the client's.
#[derive(Debug)]
pub(super) struct Served {
    /// Said when the connection stands.
    pub(super) greeting: &'static str,
    /// Whether each command stands behind a tag.
    pub(super) tagged: bool,
    /// Commands, in capitals and without what follows them, and the answers to them.
    pub(super) answers: &'static [(&'static str, &'static str)],
    /// The commands that ask for TLS, and the last words before it.
    pub(super) upgrades: &'static [(&'static str, &'static str)],
    /// The answer to every other command.
    pub(super) otherwise: &'static str,
}

/// Commands with which a client leaves, whatever the protocol.
const LEAVES: [&str; 2] = ["QUIT", "LOGOUT"];

/// The dialogue of a server that says this.
pub(super) fn serve(served: &'static Served) -> Box<dyn Dialogue> {
    Driver::start(LineServer(served))
}

struct LineServer(&'static Served);

impl Script for LineServer {
    const PEER: &'static str = "the client";

    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(self.0.greeting.into())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        let (text, used) = match line(input) {
            Line::Partial => return Turn::Wait,
            Line::Whole { text, used } => (text, used),
            Line::NotText(text) => {
                return Turn::Refused(format!("the client said {} where a command was expected", quote(text)));
            }
        };
        let (tag, command) = match text.iter().position(|&byte| byte == b' ') {
            Some(blank) if self.0.tagged => text.split_at_checked(blank).unwrap_or((text, &[])),
            _ => (&[][..], text),
        };
        let command = command.trim_ascii();
        let is = |word: &str| begins(command, word);
        let say = |answer: &str| answer.replace("{tag}", &String::from_utf8_lossy(tag)).into_bytes();
        if let Some((_, answer)) = self.0.upgrades.iter().find(|(word, _)| is(word)) {
            return Turn::Ready { used, send: say(answer) };
        }
        if LEAVES.iter().any(|word| is(word)) {
            return Turn::Refused(format!("the client leaves without having asked for TLS: {}", quote(text)));
        }
        let known = self.0.answers.iter().find(|(word, _)| is(word));
        Turn::Next { used, send: say(known.map_or(self.0.otherwise, |(_, answer)| answer)) }
    }
}

/// Whether a line is this command, in any case of letters, with or without more behind it.
fn begins(line: &[u8], command: &str) -> bool {
    let Some((start, rest)) = line.split_at_checked(command.len()) else { return false };
    start.eq_ignore_ascii_case(command.as_bytes()) && matches!(rest.first(), None | Some(b' '))
}
