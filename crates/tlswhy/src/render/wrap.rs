//! Words into lines, for terminals.

/// Breaks `text` into lines of at most `width` characters, between words only: a word that is longer stands alone on its line,
/// and what stands between backticks (a command, a directive) is one word.
pub(crate) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in words(paragraph) {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > width {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            line.push_str(word);
            used += length;
        }
        lines.push(line);
    }
    lines
}

/// The words of a line: separated by spaces, except between backticks.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(' ');
        if rest.is_empty() {
            return None;
        }
        let (word, after) = rest.split_at(end_of_word(rest));
        rest = after;
        Some(word)
    })
}

/// Length in bytes of the word that `text` begins with.
fn end_of_word(text: &str) -> usize {
    let mut from = 0;
    loop {
        let space = text[from..].find(' ').map_or(text.len(), |at| from + at);
        match code(text, from) {
            Some((opens, closes)) if opens < space => from = closes + 1,
            _ => return space,
        }
    }
}

/// One piece of prose: plain, or what stood between backticks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    /// The text, without backticks.
    pub(crate) text: String,
    /// Whether it stood between backticks.
    pub(crate) code: bool,
}

/// Splits prose at its backticks.
pub(crate) fn spans(text: &str) -> Vec<Span> {
    let mut found = Vec::new();
    let mut from = 0;
    let mut add = |text: &str, code| {
        if !text.is_empty() {
            found.push(Span { text: text.to_owned(), code });
        }
    };
    while let Some((opens, closes)) = code(text, from) {
        add(&text[from..opens], false);
        add(&text[opens + 1..closes], true);
        from = closes + 1;
    }
    add(&text[from..], false);
    found
}

/// The first code at or behind byte `from`: where its two backticks stand. As in CommonMark a backtick beside another one is no
/// partner, and one without a partner is an ordinary character.
fn code(text: &str, from: usize) -> Option<(usize, usize)> {
    let opens = lone_backtick(text, from)?;
    Some((opens, lone_backtick(text, opens + 1)?))
}

fn lone_backtick(text: &str, mut from: usize) -> Option<usize> {
    loop {
        let at = from + text[from..].find('`')?;
        let run = text[at..].bytes().take_while(|byte| *byte == b'`').count();
        if run == 1 {
            return Some(at);
        }
        from = at + run;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_break_between_words_and_never_inside_a_command() {
        assert_eq!(wrap("one two three", 7), ["one two", "three"]);
        assert_eq!(wrap("run `nginx -s reload` now", 10), ["run", "`nginx -s reload`", "now"]);
        assert_eq!(wrap("a lone ` tick stays", 8), ["a lone `", "tick", "stays"]);
        assert_eq!(wrap("überlängenwort a", 5), ["überlängenwort", "a"]);
        assert_eq!(wrap("", 5), Vec::<String>::new());
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
    }

    #[test]
    fn backticks_make_code_only_in_pairs() {
        let code = |text: &str| spans(text).into_iter().map(|span| (span.text, span.code)).collect::<Vec<_>>();
        assert_eq!(code("a `b` c"), [("a ".into(), false), ("b".into(), true), (" c".into(), false)]);
        assert_eq!(code("a ` b"), [("a ` b".into(), false)]);
        assert_eq!(code("``` `` `x`"), [("``` `` ".into(), false), ("x".into(), true)]);
    }
}
