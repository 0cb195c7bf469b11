//! XMPP: a stream for the server's name, its features list starttls, `<starttls/>`, `<proceed/>` (RFC 6120 §5).

use super::Upgrade;
use crate::dialogue::{Dialogue, Driver, Script, Turn, quote};

/// XMPP for clients.
pub(super) static UPGRADE: Upgrade = Upgrade {
    name: "xmpp",
    aliases: &["xmpp-client", "jabber"],
    title: "XMPP",
    scheme: "xmpp",
    tls_scheme: Some(("xmpps", 5223)),
    port: 5222,
    reference: "RFC 6120 section 5",
    openssl: Some("xmpp"),
    start: |server_name| start(server_name, "jabber:client"),
    serve: || Driver::start(XmppServer { namespace: "jabber:client" }),
};

/// XMPP between servers.
pub(super) static SERVER_UPGRADE: Upgrade = Upgrade {
    name: "xmpp-server",
    aliases: &[],
    title: "XMPP between servers",
    scheme: "xmpp-server",
    tls_scheme: Some(("xmpps-server", 5270)),
    port: 5269,
    reference: "RFC 6120 section 5",
    openssl: Some("xmpp-server"),
    start: |server_name| start(server_name, "jabber:server"),
    serve: || Driver::start(XmppServer { namespace: "jabber:server" }),
};

fn start(server_name: &str, namespace: &'static str) -> Box<dyn Dialogue> {
    let state = State { within: Within::Stream, offered: false, asked: false, said: Vec::new() };
    Driver::start(Xmpp { server_name: server_name.to_owned(), namespace, state })
}

struct Xmpp {
    server_name: String,
    namespace: &'static str,
    state: State,
}

struct State {
    within: Within,
    offered: bool,
    asked: bool,
    /// What stands inside an error, for the refusal.
    said: Vec<u8>,
}

enum Within {
    Stream,
    Features,
    /// `<stream:error>` or `<failure>`, until its end tag.
    Error(Vec<u8>),
    /// `<proceed>` of the long form, until its end tag.
    Proceed,
}

impl Script for Xmpp {
    fn opening(&mut self) -> Result<Vec<u8>, String> {
        Ok(format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='http://etherx.jabber.org/streams' to='{}' version='1.0'>",
            self.namespace,
            escape(&self.server_name)
        )
        .into_bytes())
    }

    fn read(&mut self, input: &[u8]) -> Turn {
        match Tag::read(input) {
            Markup::Partial => Turn::Wait,
            Markup::Text(used) => {
                let text = input.get(..used).unwrap_or(input);
                match self.state.within {
                    Within::Stream if !text.iter().all(u8::is_ascii_whitespace) => unexpected(text),
                    Within::Error(_) => {
                        self.state.said.extend(text);
                        Turn::skip(used)
                    }
                    _ => Turn::skip(used),
                }
            }
            Markup::Tag(tag) => self.state.tag(&tag),
        }
    }
}

impl State {
    fn tag(&mut self, tag: &Tag<'_>) -> Turn {
        match (&self.within, tag.name, tag.closes) {
            (Within::Error(outer), name, Some(Closes::End)) if name == outer.as_slice() => {
                Turn::Refused(format!("the server refuses with {} {}", String::from_utf8_lossy(outer), quote(&self.said)))
            }
            (Within::Error(_), ..) => {
                self.said.extend(tag.text);
                Turn::skip(tag.used)
            }
            (Within::Proceed, b"proceed", Some(Closes::End)) => Turn::ready(tag.used),
            (Within::Features, b"starttls", None | Some(Closes::Itself)) => {
                self.offered = true;
                Turn::skip(tag.used)
            }
            (Within::Features, b"features", Some(Closes::End)) | (Within::Stream, b"features", Some(Closes::Itself)) => {
                self.within = Within::Stream;
                if self.asked || !self.offered {
                    return Turn::Refused("the server does not offer starttls in its stream features".to_owned());
                }
                self.asked = true;
                Turn::say(tag.used, "<starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>")
            }
            (Within::Stream, b"proceed", Some(Closes::Itself)) if self.asked => Turn::ready(tag.used),
            (Within::Stream, b"failure", Some(Closes::Itself)) => {
                Turn::Refused("the server refuses starttls with failure".to_owned())
            }
            (Within::Stream, b"error" | b"failure", None) => self.enter(Within::Error(tag.name.to_vec()), tag.used),
            (Within::Stream, b"features", None) => self.enter(Within::Features, tag.used),
            (Within::Stream, b"proceed", None) if self.asked => self.enter(Within::Proceed, tag.used),
            (Within::Stream, b"stream", Some(Closes::End)) => Turn::Refused("the server closes the stream".to_owned()),
            (Within::Stream, b"stream" | b"?xml", _) | (Within::Features | Within::Proceed, ..) => Turn::skip(tag.used),
            (Within::Stream, ..) => unexpected(tag.text),
        }
    }

    fn enter(&mut self, within: Within, used: usize) -> Turn {
        self.within = within;
        Turn::skip(used)
    }
}

struct XmppServer {
    namespace: &'static str,
}

impl Script for XmppServer {
    const PEER: &'static str = "the client";

    fn read(&mut self, input: &[u8]) -> Turn {
        let tag = match Tag::read(input) {
            Markup::Partial => return Turn::Wait,
            Markup::Text(used) => return Turn::skip(used),
            Markup::Tag(tag) => tag,
        };
        match (tag.name, tag.closes) {
            (b"stream", None) => Turn::say(tag.used, &self.features()),
            (b"starttls", Some(_)) => {
                let send = b"<proceed xmlns='urn:ietf:params:xml:ns:xmpp-tls'/>".to_vec();
                Turn::Ready { used: tag.used, send }
            }
            (b"?xml" | b"starttls", _) => Turn::skip(tag.used),
            _ => Turn::Refused(format!("the client goes on without having asked for TLS: {}", quote(tag.text))),
        }
    }
}

impl XmppServer {
    /// The answer to a stream: TLS and nothing else.
    fn features(&self) -> String {
        format!(
            "<?xml version='1.0'?><stream:stream xmlns='{}' xmlns:stream='http://etherx.jabber.org/streams' id='1' \
             from='tlswhy.invalid' version='1.0'><stream:features><starttls xmlns='urn:ietf:params:xml:ns:xmpp-tls'><required/>\
             </starttls></stream:features>",
            self.namespace
        )
    }
}

enum Markup<'a> {
    Partial,
    /// This many bytes of text before a tag.
    Text(usize),
    Tag(Tag<'a>),
}

struct Tag<'a> {
    /// Without namespace prefix.
    name: &'a [u8],
    closes: Option<Closes>,
    /// From `<` to `>`.
    text: &'a [u8],
    used: usize,
}

#[derive(Clone, Copy)]
enum Closes {
    /// `</name>`
    End,
    /// `<name/>`
    Itself,
}

impl<'a> Tag<'a> {
    fn read(input: &'a [u8]) -> Markup<'a> {
        if input.first() != Some(&b'<') {
            // Text is a message of its own only once the tag after it begins, so that a cut changes nothing;
            // where a line or a control character ends, it is no XMPP text worth waiting for.
            let end = input.iter().position(|&byte| byte == b'<' || byte == b'\n' || byte == 0);
            return end.map_or(Markup::Partial, |end| Markup::Text(end.max(1)));
        }
        let mut within_quotes = None;
        let end = input.iter().position(|&byte| {
            match within_quotes {
                None if matches!(byte, b'"' | b'\'') => within_quotes = Some(byte),
                Some(quote) if quote == byte => within_quotes = None,
                _ => {}
            }
            byte == b'>' && within_quotes.is_none()
        });
        let Some((text, inside)) = end.and_then(|end| Some((input.get(..=end)?, input.get(1..end)?))) else {
            return Markup::Partial;
        };
        let (inside, closes) = match (inside.strip_prefix(b"/"), inside.strip_suffix(b"/")) {
            (Some(inside), _) => (inside, Some(Closes::End)),
            (None, Some(inside)) => (inside, Some(Closes::Itself)),
            (None, None) => (inside, None),
        };
        let name = inside.split(u8::is_ascii_whitespace).next().unwrap_or_default();
        let name = name.rsplit(|&byte| byte == b':').next().unwrap_or_default();
        Markup::Tag(Tag { name, closes, text, used: text.len() })
    }
}

/// For an attribute in single quotes; control characters cannot stand in XML at all and are left out.
fn escape(name: &str) -> String {
    let mut escaped = String::with_capacity(name.len());
    for character in name.chars().filter(|character| !character.is_control()) {
        match character {
            '<' => escaped.push_str("&lt;"),
            '&' => escaped.push_str("&amp;"),
            '\'' => escaped.push_str("&apos;"),
            _ => escaped.push(character),
        }
    }
    escaped
}

fn unexpected(text: &[u8]) -> Turn {
    Turn::Refused(format!("the server said {} where an XMPP stream was expected", quote(text.trim_ascii())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_cannot_break_out_of_its_attribute() {
        assert_eq!(escape("a'><b&\r\n"), "a&apos;>&lt;b&amp;");
    }
}
