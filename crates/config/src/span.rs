use std::fmt;
use std::sync::Arc;

/// A place in a file: a half-open range of its bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Path of the file, as it was asked for.
    pub path: Arc<str>,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}

/// The directives through which a file came to be read; the innermost first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Via {
    /// The directive that includes it.
    pub at: Span,
    /// How the file of that directive came to be read.
    pub via: Option<Arc<Via>>,
}

impl Via {
    /// How many files deep.
    pub fn depth(via: Option<&Arc<Via>>) -> usize {
        std::iter::successors(via, |via| via.via.as_ref()).count()
    }
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A directive in a file.
    File {
        /// The whole directive, its name included, without indentation, comments and line end.
        at: Span,
        /// Its value alone, as far as an edit replaces it.
        value: Span,
        /// How the file came to be read; `None` for a main file.
        via: Option<Arc<Via>>,
    },
    /// What the program does where no line says anything.
    BuiltIn {
        /// Whose default it is, such as `nginx 1.22.1`.
        by: String,
    },
    /// An environment variable.
    Environment {
        /// Its name.
        name: String,
    },
}

impl Origin {
    /// A directive whose value is `value`.
    pub fn file(at: Span, value: Span, via: Option<&Arc<Via>>) -> Origin {
        Origin::File { at, value, via: via.cloned() }
    }

    /// The default of this program.
    pub fn built_in(by: impl Into<String>) -> Origin {
        Origin::BuiltIn { by: by.into() }
    }

    /// The directive's place, where it stands in a file.
    pub fn span(&self) -> Option<&Span> {
        match self {
            Origin::File { at, .. } => Some(at),
            _ => None,
        }
    }
}

/// A line and a column, from 1; the column counts bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// Line.
    pub line: u32,
    /// Column.
    pub column: u32,
}

impl Position {
    /// Where the byte at `offset` stands.
    pub fn of(bytes: &[u8], offset: usize) -> Position {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
        Position::new(line, column)
    }

    /// The same in a file whose line ends, sorted, are known.
    pub(crate) fn among(line_ends: &[usize], offset: usize) -> Position {
        let before = line_ends.partition_point(|end| *end < offset);
        let begins = before.checked_sub(1).and_then(|last| line_ends.get(last)).map_or(0, |end| end + 1);
        Position::new(before + 1, offset.saturating_sub(begins) + 1)
    }

    fn new(line: usize, column: usize) -> Position {
        Position { line: u32::try_from(line).unwrap_or(u32::MAX), column: u32::try_from(column).unwrap_or(u32::MAX) }
    }
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.line, self.column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_the_same_whether_line_ends_are_known_or_looked_for() {
        let text = b"\none\r\n\ntwo\nthree";
        let ends: Vec<usize> = (0..text.len()).filter(|at| text[*at] == b'\n').collect();
        for offset in 0..=text.len() {
            assert_eq!(Position::among(&ends, offset), Position::of(text, offset), "{offset}");
        }
    }
}
