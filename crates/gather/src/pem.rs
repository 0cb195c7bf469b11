//! PEM (RFC 7468) as files have it: any number of blocks, text between them, old headers inside.

use tlswhy_model::printable;

use crate::base64::Decoder;

/// How much is shown of a label, in characters.
const LONGEST_LABEL: usize = 40;

/// One block.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Block {
    /// What stands behind `BEGIN`.
    pub(crate) label: String,
    /// The line of `BEGIN`, from 1.
    pub(crate) line: usize,
    /// Whether a header says that the content is encrypted (RFC 1421 §4.6.1.1).
    pub(crate) encrypted: bool,
    /// The content, or what is wrong with it.
    pub(crate) content: Result<Vec<u8>, &'static str>,
}

/// The blocks of a text, in their order.
pub(crate) fn blocks(text: &[u8]) -> impl Iterator<Item = Block> {
    let text = text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text);
    let mut lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).zip(1..).peekable();
    std::iter::from_fn(move || {
        let (label, line) = lines.find_map(|(line, number)| Some((boundary(line, b"-----BEGIN ")?, number)))?;
        let (mut decoder, mut encrypted, mut closed) = (Decoder::default(), false, false);
        while let Some((line, _)) = lines.next_if(|(line, _)| !line.starts_with(b"-----BEGIN ")) {
            if let Some(end) = boundary(line, b"-----END ") {
                closed = end == label;
                break;
            }
            // Headers: no base64 has a colon.
            match line.contains(&b':') {
                true => encrypted |= line.starts_with(b"Proc-Type:") && line.ends_with(b"ENCRYPTED"),
                false => decoder.push(line),
            }
        }
        let content = match closed {
            true => decoder.finish().ok_or("its base64 is damaged"),
            false => Err("it has no END line"),
        };
        let label = printable(&String::from_utf8_lossy(label), LONGEST_LABEL);
        Some(Block { label, line, encrypted, content })
    })
}

/// The label, if it is a line of this kind.
fn boundary<'a>(line: &'a [u8], start: &[u8]) -> Option<&'a [u8]> {
    line.strip_prefix(start)?.strip_suffix(b"-----")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blocks_are_found_between_text_with_their_lines() {
        let text = "Bag Attributes\r\n-----BEGIN A-----\r\nMA\r\nA=\r\n-----END A-----\r\n\r\n-----BEGIN B C-----\nProc-Type: \
                    4,ENCRYPTED\nDEK-Info: x\n\n  MAA=  \n-----END B C-----";
        let found: Vec<Block> = blocks(text.as_bytes()).collect();
        let block = |label: &str, line, encrypted| Block { label: label.into(), line, encrypted, content: Ok(vec![0x30, 0]) };
        assert_eq!(found, [block("A", 2, false), block("B C", 7, true)]);
    }

    #[test]
    fn what_is_damaged_does_not_hide_the_rest() {
        let text = "-----BEGIN A-----\nM!A=\n-----END A-----\n-----BEGIN B-----\nMAA=\n-----BEGIN C-----\nMAA=\n\
                    -----END D-----\n-----BEGIN \u{1b}[2J-----\n-----END \u{1b}[2J-----\n-----BEGIN E-----\nMAA=";
        let found: Vec<_> = blocks(text.as_bytes()).map(|block| (block.label, block.line, block.content)).collect();
        assert_eq!(found[0], ("A".into(), 1, Err("its base64 is damaged")));
        assert_eq!(found[1], ("B".into(), 4, Err("it has no END line")));
        assert_eq!(found[2], ("C".into(), 6, Err("it has no END line")));
        assert!(!found[3].0.contains('\u{1b}') && found[3].2 == Ok(Vec::new()), "{:?}", found[3]);
        assert_eq!(found[4], ("E".into(), 11, Err("it has no END line")));
        assert_eq!(found.len(), 5);
        assert_eq!(blocks(b"").next(), None);
    }
}
