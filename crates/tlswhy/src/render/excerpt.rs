//! The line of a file that an exhibit speaks of.

use tlswhy_model::{Exhibit, FileContent, SeenFile};

/// How much of a line is shown, in characters.
const LONGEST: usize = 160;

/// `12 | ssl_protocols TLSv1;` for a file that was read. Bytes that are no UTF-8 are shown as U+FFFD.
pub(crate) fn excerpt(files: &[SeenFile], exhibit: &Exhibit) -> Option<String> {
    let Exhibit::File { path, start, line, .. } = exhibit else { return None };
    let FileContent::Bytes { bytes, .. } = &files.iter().find(|file| file.path == *path)?.content else { return None };
    let at = usize::try_from(*start).ok()?;
    let begins = bytes.get(..at)?.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
    let rest = bytes.get(begins..)?;
    let ends = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
    let text = String::from_utf8_lossy(rest.get(..ends)?);
    let text: String = text.trim_end().chars().take(LONGEST).collect();
    (!text.trim().is_empty()).then(|| format!("{line} | {text}"))
}
