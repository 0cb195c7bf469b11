//! The grammar of `protocols`.

use tlswhy_wire::ProtocolVersion;

use crate::language::jsse;

/// What `all` is (Constants.SSL_PROTO_ALL_SET), as far as it is a version.
const ALL: &[ProtocolVersion] =
    &[ProtocolVersion::TLSV1_0, ProtocolVersion::TLSV1_1, ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3];

/// The versions of a value, and the words that name none: `+`, `-` and commas divide, blanks do not; a word without a sign is added.
pub(super) fn protocols(text: &str) -> (Vec<ProtocolVersion>, Vec<String>) {
    let mut versions: Vec<ProtocolVersion> = Vec::new();
    let mut unknown = Vec::new();
    let mut start = 0;
    let divides = text.char_indices().filter(|(_, letter)| matches!(letter, '+' | '-' | ',')).map(|(at, _)| at);
    for end in divides.chain([text.len()]) {
        let word = text.get(start..end).unwrap_or_default().trim();
        start = end;
        let removes = word.starts_with('-');
        let word = word.trim_start_matches(['+', '-', ',']).trim();
        if word.is_empty() {
            continue;
        }
        let named: Vec<ProtocolVersion> =
            if word.eq_ignore_ascii_case("all") { ALL.to_vec() } else { jsse::version(word).into_iter().collect() };
        if named.is_empty() && word != "SSLv2Hello" {
            unknown.push(word.to_owned());
        }
        versions.retain(|version| !named.contains(version));
        if !removes {
            versions.extend(named);
        }
    }
    versions.sort_unstable();
    (versions, unknown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_added_and_taken_away() {
        let names =
            |text: &str| protocols(text).0.iter().filter_map(|version| jsse::version_name(*version)).collect::<Vec<_>>();
        assert_eq!(names(" TLSv1.2 , + TLSv1.3 "), ["TLSv1.2", "TLSv1.3"]);
        assert_eq!(names("all -TLSv1.3,-TLSv1"), ["TLSv1.1", "TLSv1.2"]);
        assert_eq!(names("TLSv1.2-TLSv1.3"), ["TLSv1.2"]);
        assert_eq!(protocols("TLSv1.2 TLSv1.3"), (Vec::new(), vec!["TLSv1.2 TLSv1.3".to_owned()]));
        assert!(names("-TLSv1.3").is_empty() && names("").is_empty());
    }
}
