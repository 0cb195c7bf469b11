use similar::{Algorithm, DiffTag, TextDiff};

use crate::mend::Patch;

/// Lines of context around a change.
const CONTEXT: usize = 3;

/// The unified diff of a file, as `patch -p0` takes it. Bytes that are no UTF-8 are kept as they are in what is compared and shown
/// as U+FFFD.
pub fn unified(path: &str, old: &[u8], new: &[u8]) -> String {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    let mut bytes = Vec::new();
    let mut unified = diff.unified_diff();
    unified.context_radius(CONTEXT).header(path, path);
    // Writing to memory does not fail.
    let _ = unified.to_writer(&mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The changes that make `new` of `old`: whole lines, each run of changed lines one patch.
pub fn between(path: &str, old: &[u8], new: &[u8]) -> Vec<Patch> {
    let diff = TextDiff::configure().algorithm(Algorithm::Patience).diff_lines(old, new);
    let starts = |lines: &mut dyn Iterator<Item = &[u8]>| {
        let mut starts = vec![0];
        for line in lines {
            starts.push(starts.last().copied().unwrap_or(0) + line.len());
        }
        starts
    };
    let old_starts = starts(&mut diff.iter_old_slices());
    let new_starts = starts(&mut diff.iter_new_slices());
    let at = |starts: &[usize], line: usize| starts.get(line).copied().unwrap_or(0);
    let changed = diff.ops().iter().filter(|op| op.tag() != DiffTag::Equal);
    let patches = changed.map(|op| {
        let (before, after) = (op.old_range(), op.new_range());
        let text = new.get(at(&new_starts, after.start)..at(&new_starts, after.end)).unwrap_or_default();
        Patch {
            path: path.to_owned(),
            start: at(&old_starts, before.start),
            end: at(&old_starts, before.end),
            new: String::from_utf8_lossy(text).into_owned(),
        }
    });
    patches.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patched;

    #[test]
    fn what_lies_between_two_texts_makes_one_of_the_other() {
        for (old, new) in [
            (&b"a\nb\nc\n"[..], &b"a\nB\nc\nd\n"[..]),
            (b"a\r\nb", b"a\r\nb\r\nc"),
            (b"", b"x\n"),
            (b"x\n", b""),
            (b"a\n\xe9\nb\n", b"a\n\xe9\nc\n"),
        ] {
            let patches = between("f", old, new);
            assert!(!patches.is_empty());
            assert_eq!(patched(old, &patches).unwrap(), new);
            assert!(unified("f", old, new).starts_with("--- f\n+++ f\n@@"));
        }
        assert!(between("f", b"a\n", b"a\n").is_empty());
    }
}
