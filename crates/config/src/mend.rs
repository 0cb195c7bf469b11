use tlswhy_wire::{CipherSuite, NamedGroup, ProtocolVersion, SignatureScheme};

use crate::setting::ClientVerification;

/// A change of what is in effect, in our words; a dialect turns it into [`Patch`]es.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Want {
    /// TLS is spoken on this listener.
    Tls,
    /// Exactly these versions are on, lowest first.
    Versions(Vec<ProtocolVersion>),
    /// Exactly these suites up to TLS 1.2, in this order; at this security level, where one is named.
    CipherList(Vec<CipherSuite>, Option<u8>),
    /// Exactly these suites of TLS 1.3, in this order.
    CipherSuites(Vec<CipherSuite>),
    /// Exactly these groups, in this order.
    Groups(Vec<NamedGroup>),
    /// Exactly these signature algorithms, in this order.
    SignatureAlgorithms(Vec<SignatureScheme>),
    /// OpenSSL's security level.
    SecurityLevel(u8),
    /// The certificate is read from this file (its key from that one, where a second is named).
    Certificate(String, Option<String>),
    /// Whether a client certificate is asked for.
    ClientVerification(ClientVerification),
    /// Exactly these application protocols; empty for none.
    Alpn(Vec<String>),
    /// Names that no service has are served by the default service.
    AcceptUnknownNames,
    /// This name is served by this service as well.
    Name(String),
    /// This option of the library is on (`UnsafeLegacyServerConnect`).
    Option(String),
    /// The size of Diffie-Hellman parameters no longer matters: those of the file are not used.
    NoDhParameters,
}

/// An edit of one file: bytes `start..end` become `new`. Several of one plan count in the file as it was; one that is not there is
/// empty, and comes to be by the edit.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Patch {
    /// Path as read.
    pub path: String,
    /// First byte replaced.
    pub start: usize,
    /// Byte after the last replaced.
    pub end: usize,
    /// What stands there afterwards.
    pub new: String,
}

impl Patch {
    /// A replacement of what stands at a span.
    pub fn replace(span: &crate::Span, new: impl Into<String>) -> Patch {
        Patch { path: span.path.to_string(), start: span.start, end: span.end, new: new.into() }
    }

    /// A new line below the line that `span` ends in, indented like it, with the file's own line end.
    pub fn line_below(span: &crate::Span, bytes: &[u8], line: &str) -> Patch {
        let end = span.end.min(bytes.len());
        let stop = bytes.get(end..).unwrap_or_default().iter().position(|byte| *byte == b'\n').map(|at| end + at + 1);
        let newline = line_end(bytes);
        let indent = indentation(bytes, span.start);
        let (at, new) = match stop {
            Some(at) => (at, format!("{indent}{line}{newline}")),
            // The last line has no end: it gets one, the new last line has none.
            None => (bytes.len(), format!("{newline}{indent}{line}")),
        };
        Patch { path: span.path.to_string(), start: at, end: at, new }
    }

    /// A new line above the line that `span` begins in, indented like it.
    pub fn line_above(span: &crate::Span, bytes: &[u8], line: &str) -> Patch {
        let start = line_start(bytes, span.start);
        let new = format!("{}{line}{}", indentation(bytes, span.start), line_end(bytes));
        Patch { path: span.path.to_string(), start, end: start, new }
    }
}

/// The blanks and tabs that the line of this byte begins with.
pub fn indentation(bytes: &[u8], offset: usize) -> String {
    let line = bytes.get(line_start(bytes, offset)..).unwrap_or_default();
    line.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).map(|byte| char::from(*byte)).collect()
}

/// The line end that a file uses.
pub fn line_end(bytes: &[u8]) -> &'static str {
    match bytes.iter().position(|byte| *byte == b'\n') {
        Some(at) if at > 0 && bytes.get(at - 1) == Some(&b'\r') => "\r\n",
        _ => "\n",
    }
}

fn line_start(bytes: &[u8], offset: usize) -> usize {
    let before = bytes.get(..offset).unwrap_or(bytes);
    before.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1)
}

/// Why a dialect cannot bring about what is wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CannotMend {
    /// A sentence without its full stop, such as `Caddy has no TLS 1.1`.
    pub why: String,
}

impl CannotMend {
    /// Because of this.
    pub fn because(why: impl Into<String>) -> CannotMend {
        CannotMend { why: why.into() }
    }
}

/// The file with these patches applied; `None` where they overlap or lie outside. They may come in any order.
pub fn patched<'p>(bytes: &[u8], patches: impl IntoIterator<Item = &'p Patch>) -> Option<Vec<u8>> {
    let mut patches: Vec<&Patch> = patches.into_iter().collect();
    patches.sort();
    let mut whole = Vec::with_capacity(bytes.len() + 64);
    let mut at = 0;
    for patch in patches {
        whole.extend_from_slice(bytes.get(at..patch.start)?);
        whole.extend_from_slice(patch.new.as_bytes());
        at = patch.end.max(patch.start);
        if patch.end < patch.start {
            return None;
        }
    }
    whole.extend_from_slice(bytes.get(at..)?);
    Some(whole)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Span;

    fn span(start: usize, end: usize) -> Span {
        Span { path: "a".into(), start, end }
    }

    #[test]
    fn lines_are_put_in_as_their_neighbours_stand() {
        let text = b"a {\r\n\tx 1;\r\n}";
        let below = Patch::line_below(&span(6, 10), text, "y 2;");
        assert_eq!(patched(text, [&below]).unwrap(), b"a {\r\n\tx 1;\r\n\ty 2;\r\n}");
        let above = Patch::line_above(&span(6, 10), text, "y 2;");
        assert_eq!(patched(text, [&above]).unwrap(), b"a {\r\n\ty 2;\r\n\tx 1;\r\n}");
        let last = Patch::line_below(&span(0, 3), b"  x", "y");
        assert_eq!(patched(b"  x", [&last]).unwrap(), b"  x\n  y");
    }

    #[test]
    fn patches_that_overlap_are_refused() {
        let (a, b) = (Patch::replace(&span(0, 2), "1"), Patch::replace(&span(1, 3), "2"));
        assert_eq!(patched(b"abc", [&a, &b]), None);
        assert_eq!(patched(b"abc", [&Patch::replace(&span(2, 9), "")]), None);
    }
}
