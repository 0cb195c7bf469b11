//! The line of a file that an exhibit speaks of.

use std::collections::HashMap;

use tlswhy_model::{Exhibit, FileContent, SeenFile};

/// How much of a line is shown, in characters.
const LONGEST: usize = 160;

/// The files that were read, by their paths.
pub(crate) struct Excerpts<'f>(HashMap<&'f str, &'f [u8]>);

impl<'f> Excerpts<'f> {
    /// Of these files.
    pub(crate) fn of(files: &'f [SeenFile]) -> Excerpts<'f> {
        let read = files.iter().filter_map(|file| match &file.content {
            FileContent::Bytes { bytes, .. } => Some((file.path.as_str(), &**bytes)),
            _ => None,
        });
        Excerpts(read.collect())
    }

    /// `12 | ssl_protocols TLSv1;` for a file that was read. Bytes that are no UTF-8 are shown as U+FFFD.
    pub(crate) fn line(&self, exhibit: &Exhibit) -> Option<String> {
        let Exhibit::File { path, start, line, .. } = exhibit else { return None };
        let bytes = self.0.get(path.as_str())?;
        let at = usize::try_from(*start).ok()?;
        let begins = bytes.get(..at)?.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let rest = bytes.get(begins..)?;
        let ends = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
        let text = String::from_utf8_lossy(rest.get(..ends)?);
        let text: String = text.trim_end().chars().take(LONGEST).collect();
        (!text.trim().is_empty()).then(|| format!("{line} | {text}"))
    }
}
