//! What the user may have meant.

/// The known names that are nearest to what was written; none where none is near.
pub(crate) fn nearest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let written = written.to_ascii_lowercase().replace('_', "-");
    let mut near: Vec<(usize, &str)> = known
        .into_iter()
        .map(|name| {
            let distance = strsim::damerau_levenshtein(&written, name);
            // A part of a name is near, too: `cipher` for `no-shared-cipher`.
            let contained = written.len() >= 4 && name.contains(&written);
            (if contained { distance.min(1) } else { distance }, name)
        })
        .filter(|(distance, name)| *distance <= 1 + name.len() / 6)
        .collect();
    near.sort_unstable();
    near.into_iter().take(4).map(|(_, name)| name).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_and_parts_are_near_and_other_words_are_not() {
        let known = ["no-shared-cipher", "not-tls", "check"];
        assert_eq!(nearest("no_shared_ciphers", known), ["no-shared-cipher"]);
        assert_eq!(nearest("cipher", known), ["no-shared-cipher"]);
        assert_eq!(nearest("chekc", known), ["check"]);
        assert!(nearest("example", known).is_empty());
    }
}
