use std::fmt;
use std::str::FromStr;

/// A release number of some software, `MAJOR.MINOR.PATCH`; what is missing counts as 0, what follows (`w`, `-1+deb12u4`) is left
/// out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Release {
    /// The first number.
    pub major: u32,
    /// The second number.
    pub minor: u32,
    /// The third number.
    pub patch: u32,
}

impl Release {
    /// The release with these numbers.
    pub const fn new(major: u32, minor: u32, patch: u32) -> Release {
        Release { major, minor, patch }
    }
}

/// What is no release number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoRelease;

impl fmt::Display for NoRelease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("not a version number: `1.22.1` is one")
    }
}

impl FromStr for Release {
    type Err = NoRelease;

    /// Reads the first number with a dot in a text, such as `OpenSSL 3.0.19 27 Jan 2026` or `1:2.4.67-1~deb12u2`; a Debian
    /// epoch is left out.
    fn from_str(text: &str) -> Result<Release, NoRelease> {
        let text = text.trim();
        let text = match text.split_once(':') {
            Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit()) => rest,
            _ => text,
        };
        let words = || text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '.'));
        let starts = |word: &&str| word.starts_with(|c: char| c.is_ascii_digit());
        let dotted = words().filter(starts).find(|word| word.contains('.'));
        let word = dotted.or_else(|| words().find(starts)).ok_or(NoRelease)?;
        let mut numbers = word.split('.').map(|part| {
            let digits: String = part.chars().take_while(char::is_ascii_digit).take(9).collect();
            digits.parse::<u32>().ok()
        });
        let major = numbers.next().flatten().ok_or(NoRelease)?;
        let mut next = || numbers.next().flatten().unwrap_or(0);
        Ok(Release { major, minor: next(), patch: next() })
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.major, self.minor, self.patch)
    }
}

/// Distributions built from the sources of Red Hat Enterprise Linux, by the ID of their os-release.
const OF_RHEL: &[&str] = &["rhel", "centos", "almalinux", "rocky", "ol", "redhat"];

/// The release of RHEL that a system (`almalinux 9.4`) is, or is built from.
pub(crate) fn rhel(system: &str) -> Option<Release> {
    let (id, number) = system.split_once(' ')?;
    OF_RHEL.iter().any(|known| id.eq_ignore_ascii_case(known)).then(|| number.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rebuilds_of_rhel_are_told_by_their_names() {
        assert_eq!(rhel("almalinux 9.4"), Some(Release::new(9, 4, 0)));
        assert_eq!(rhel("rhel 7"), Some(Release::new(7, 0, 0)));
        assert_eq!(rhel("fedora 41"), None);
        assert_eq!(rhel("rhel"), None);
    }

    #[test]
    fn releases_are_read_from_what_programs_and_packages_say() {
        for (text, release) in [
            ("1.22.1", Release::new(1, 22, 1)),
            ("OpenSSL 3.0.19 27 Jan 2026", Release::new(3, 0, 19)),
            ("1.1.1w", Release::new(1, 1, 1)),
            ("1:2.4.67-1~deb12u2", Release::new(2, 4, 67)),
            ("17.0.15+6-1~deb12u1", Release::new(17, 0, 15)),
            ("nginx version: nginx/1.22.1", Release::new(1, 22, 1)),
            ("15", Release::new(15, 0, 0)),
        ] {
            assert_eq!(text.parse(), Ok(release), "{text}");
        }
        assert_eq!("none".parse::<Release>(), Err(NoRelease));
        assert!(Release::new(1, 9, 0) < Release::new(1, 29, 2));
    }
}
