//! What one reading includes: files that are included again and again are read again, within a bound.

use std::collections::HashSet;

use crate::files::{Content, Files, normal};

/// Most bytes of one reading that come from files read before in it. Each such file counts as at least [`LEAST`].
const MOST_AGAIN: usize = 64 << 20;
/// What reading a file again counts at least, in bytes: opening it costs too.
const LEAST: usize = 256;
/// What is said of the first file beyond the bound.
const TOO_OFTEN: &str = "files are included again and again, more than 64 MiB in all: no further one is read again";

/// The files that a reading has included so far.
#[derive(Debug, Default)]
pub(crate) struct Includes {
    known: HashSet<String>,
    again: usize,
    told: bool,
}

impl Includes {
    /// What lies at the path of a file that is to be read now.
    ///
    /// As [`Files::text`], but a file that was read already is [`Content::Asked`] where the reading has to be made anew anyway
    /// (thirty files that each include the next one twice would be read a thousand million times before the last is known), and
    /// beyond the bound, which is said once.
    pub(crate) fn look<'a>(&mut self, files: &Files<'a>, path: &str) -> Content<'a> {
        let found = files.text(path);
        let Content::Bytes(bytes) = found else { return found };
        if self.known.insert(normal(path)) {
            return found;
        }
        if files.wants_more() {
            return Content::Asked;
        }
        self.again = self.again.saturating_add(bytes.len().max(LEAST));
        match (self.again > MOST_AGAIN, self.told) {
            (false, _) => found,
            (true, true) => Content::Asked,
            (true, false) => {
                self.told = true;
                Content::Unreadable(TOO_OFTEN)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tlswhy_model::{FileContent, SeenFile};

    use super::*;

    fn file(path: &str, length: usize) -> SeenFile {
        let bytes = vec![b'#'; length].into();
        let content = FileContent::Bytes { bytes, sha256: String::new(), public_keys: Vec::new() };
        SeenFile { path: path.to_owned(), real_path: None, content }
    }

    #[test]
    fn a_file_is_read_again_up_to_the_bound_which_is_told_once() {
        let seen = [file("/a", 1 << 20), file("/b", 1)];
        let files = Files::new(&seen, &[]);
        let mut includes = Includes::default();
        let read = (0..1000).take_while(|_| matches!(includes.look(&files, "/a"), Content::Bytes(_))).count();
        assert_eq!(read, 65);
        assert_eq!(includes.look(&files, "/a"), Content::Asked);
        // What was not read yet is read still.
        assert!(matches!(includes.look(&files, "/b"), Content::Bytes(_)));
    }

    #[test]
    fn small_files_are_not_read_without_end() {
        let seen = [file("/a", 0)];
        let files = Files::new(&seen, &[]);
        let mut includes = Includes::default();
        let read = (0..1_000_000).take_while(|_| matches!(includes.look(&files, "/a"), Content::Bytes(_))).count();
        assert_eq!(read, MOST_AGAIN / LEAST + 1);
    }

    #[test]
    fn nothing_is_read_twice_while_a_file_is_wanted() {
        let seen = [file("/a", 1)];
        let files = Files::new(&seen, &[]);
        let mut includes = Includes::default();
        assert!(matches!(includes.look(&files, "/a"), Content::Bytes(_)));
        assert!(matches!(includes.look(&files, "/a"), Content::Bytes(_)));
        assert_eq!(includes.look(&files, "/missing"), Content::Asked);
        assert_eq!(includes.look(&files, "/a"), Content::Asked);
    }
}
