//! A text in lines, however it comes in pieces, in constant memory.

/// Longer lines are read in pieces of this many bytes.
const LONGEST: usize = 16 << 10;

/// Cuts a text into lines.
#[derive(Default)]
pub(super) struct Lines {
    /// The beginning of a line of which the end has not come yet.
    pending: Vec<u8>,
    /// Whether a piece of the pending line was already given away.
    continued: bool,
    /// Lines begun so far.
    pub(super) number: u64,
    /// Bytes taken so far.
    pub(super) bytes: u64,
    /// Lines that were read in pieces.
    pub(super) cut: u64,
}

impl Lines {
    /// Takes more of the text and gives each line that is complete, with its number.
    pub(super) fn feed(&mut self, chunk: &[u8], mut line: impl FnMut(u64, &[u8])) {
        self.bytes = self.bytes.saturating_add(chunk.len() as u64);
        let mut rest = chunk;
        while let Some(at) = rest.iter().position(|byte| *byte == b'\n') {
            let (head, tail) = rest.split_at(at);
            self.piece(head, true, &mut line);
            rest = tail.get(1..).unwrap_or_default();
        }
        self.piece(rest, false, &mut line);
    }

    /// The line that no line feed ends.
    pub(super) fn finish(&mut self, mut line: impl FnMut(u64, &[u8])) {
        if !self.pending.is_empty() {
            self.piece(b"", true, &mut line);
        }
    }

    fn piece(&mut self, mut bytes: &[u8], ends: bool, line: &mut impl FnMut(u64, &[u8])) {
        if self.pending.is_empty() && !self.continued && (ends || !bytes.is_empty()) {
            self.number = self.number.saturating_add(1);
        }
        while self.pending.len() + bytes.len() > LONGEST {
            let (head, tail) = bytes.split_at(LONGEST.saturating_sub(self.pending.len()));
            self.pending.extend_from_slice(head);
            bytes = tail;
            line(self.number, &self.pending);
            self.pending.clear();
            self.cut = self.cut.saturating_add(u64::from(!self.continued));
            self.continued = true;
        }
        if !ends {
            self.pending.extend_from_slice(bytes);
            return;
        }
        if self.pending.is_empty() {
            line(self.number, trimmed(bytes));
        } else {
            self.pending.extend_from_slice(bytes);
            line(self.number, trimmed(&self.pending));
            self.pending.clear();
        }
        self.continued = false;
    }
}

/// Without the carriage return of Windows.
fn trimmed(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(text: &[u8], step: usize) -> (Vec<(u64, Vec<u8>)>, Lines) {
        let mut lines = Lines::default();
        let mut found = Vec::new();
        for chunk in text.chunks(step) {
            lines.feed(chunk, |number, line| found.push((number, line.to_vec())));
        }
        lines.finish(|number, line| found.push((number, line.to_vec())));
        (found, lines)
    }

    #[test]
    fn lines_do_not_depend_on_how_the_text_comes() {
        let text = b"one\r\n\ntwo\nthree";
        let expected = vec![(1, b"one".to_vec()), (2, b"".to_vec()), (3, b"two".to_vec()), (4, b"three".to_vec())];
        for step in 1..=text.len() {
            let (found, lines) = cut(text, step);
            assert_eq!(found, expected, "in steps of {step}");
            assert_eq!((lines.number, lines.bytes, lines.cut), (4, text.len() as u64, 0));
        }
    }

    #[test]
    fn a_long_line_comes_in_pieces_and_counts_as_one() {
        let text = [vec![b'x'; 2 * LONGEST + 1], b"\nnext".to_vec()].concat();
        for step in [1 << 10, 1 << 20] {
            let (found, lines) = cut(&text, step);
            assert_eq!(
                found.iter().map(|(number, line)| (*number, line.len())).collect::<Vec<_>>(),
                [(1, LONGEST), (1, LONGEST), (1, 1), (2, 4)]
            );
            assert_eq!((lines.number, lines.cut), (2, 1));
        }
    }
}
