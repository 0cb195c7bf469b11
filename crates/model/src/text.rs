/// What came from the other side, made safe to show: control characters, bidirectional overrides and other invisible
/// formatting become `\u{…}` escapes, and the text is cut after `limit` characters (marked with `…`).
pub fn printable(text: &str, limit: usize) -> String {
    let mut shown = String::new();
    for (count, c) in text.chars().enumerate() {
        if count == limit {
            shown.push('…');
            break;
        }
        if c.is_control() || is_invisible(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Unicode's bidirectional controls, zero-width characters, line separators and tags: they change how the text around them
/// looks without being seen (Unicode Technical Report 36).
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{061c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}'
        | '\u{e0000}'..='\u{e007f}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn terminal_sequences_are_escaped_and_long_text_is_cut() {
        assert_eq!(printable("a\u{1b}[31mb", 80), "a\\u{1b}[31mb");
        assert_eq!(printable("x\u{202e}y", 80), "x\\u{202e}y");
        assert_eq!(printable("abcdef", 3), "abc…");
        assert_eq!(printable("grün", 4), "grün");
    }
}
