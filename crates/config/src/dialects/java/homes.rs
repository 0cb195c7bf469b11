//! Which virtual machine a file belongs to.

use crate::dialects::Context;
use crate::files::Content;
use crate::release::Release;

/// Where java.security lies below a home: since Java 9, before, and in a runtime alone before.
const BELOW_HOME: &[&str] = &["/conf/security/java.security", "/jre/lib/security/java.security", "/lib/security/java.security"];
/// Debian and Ubuntu keep the files of `/usr/lib/jvm/java-17-openjdk-amd64` here.
const DEBIAN: (&str, &str) = ("/etc/java-", "/security/java.security");
/// Words in the names of folders that a home is called by.
const NAMES: &[&str] = &["java-", "jdk", "jre", "temurin", "zulu", "corretto", "graalvm"];

/// Whether a file is a virtual machine's own, not one that comes on top.
pub(super) fn is_of_a_machine(path: &str) -> bool {
    path.ends_with("/java.security")
}

/// The file of the virtual machine on top of which a file of one's own comes; `None` where it is one itself, or where none or several
/// could be meant.
pub(in crate::dialects) fn base(context: &Context<'_>) -> Option<String> {
    if is_of_a_machine(context.main) {
        return None;
    }
    let is_there = |path: &String| matches!(context.files.look(path), Content::Bytes(_));
    if let Some(home) = context.files.environment("JAVA_HOME") {
        return BELOW_HOME.iter().map(|below| format!("{home}{below}")).find(is_there);
    }
    let places = [format!("{}*{}", DEBIAN.0, DEBIAN.1), format!("/usr/lib/jvm/*{}", BELOW_HOME.first()?)];
    let mut found: Vec<String> = places.iter().flat_map(|place| context.files.glob(place)).filter(is_there).collect();
    // Debian's homes are links to its folder, and to one another.
    let of_debian: Vec<Option<u32>> =
        found.iter().filter(|path| path.starts_with(DEBIAN.0)).map(|path| numbered(path)).collect();
    found.retain(|path| path.starts_with(DEBIAN.0) || !of_debian.contains(&numbered(path)));
    if let Some(release) = context.files.release_of("java") {
        return found.into_iter().find(|path| numbered(path) == Some(release.major));
    }
    if found.len() == 1 { found.pop() } else { None }
}

/// The home of the virtual machine that a file belongs to, where its path tells.
pub(super) fn home(context: &Context<'_>) -> Option<String> {
    let main = base(context).unwrap_or_else(|| context.main.to_owned());
    BELOW_HOME.iter().find_map(|below| main.strip_suffix(below)).map(str::to_owned).or_else(|| {
        let name = main.strip_prefix("/etc/")?.strip_suffix(DEBIAN.1)?;
        let releases = context.files.glob(&format!("/usr/lib/jvm/{name}-*/release"));
        let there = releases.into_iter().find(|path| context.files.bytes(path).is_some())?;
        there.strip_suffix("/release").map(str::to_owned)
    })
}

/// The release of the virtual machine: from the file `release` of its home, from its path, or from the packages.
pub(super) fn release(context: &Context<'_>, base: Option<&str>) -> Option<Release> {
    let told = home(context).and_then(|home| {
        let text = String::from_utf8_lossy(context.files.bytes(&format!("{home}/release"))?).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("JAVA_VERSION="))?;
        numbers(line.trim().trim_matches('"'))
    });
    told.or_else(|| {
        let of_path = numbered(base.unwrap_or(context.main)).map(|major| Release::new(major, 0, 0));
        let installed = context.files.release_of("java");
        installed.filter(|installed| of_path.is_none_or(|path| path.major == installed.major)).or(of_path)
    })
}

/// `17.0.15`; `1.8.0_392` is 8 with update 392.
fn numbers(text: &str) -> Option<Release> {
    let mut parts = text.split(['.', '_', '+', '-', 'u']).map_while(|part| part.parse::<u32>().ok());
    let (first, second, third) = (parts.next()?, parts.next().unwrap_or(0), parts.next().unwrap_or(0));
    Some(if first == 1 { Release::new(second, third, parts.next().unwrap_or(0)) } else { Release::new(first, second, third) })
}

/// The version that a folder of the path is named after: `java-17-openjdk`, `temurin-25-jdk-amd64`, `jdk1.8.0_392`, `jdk-21.0.8`.
fn numbered(path: &str) -> Option<u32> {
    let folder = directories(path).find(|part| {
        let lower = part.to_ascii_lowercase();
        NAMES.iter().any(|name| lower.contains(name)) && lower.contains(|c: char| c.is_ascii_digit())
    })?;
    let digits = folder.find(|c: char| c.is_ascii_digit())?;
    numbers(folder.get(digits..)?.split('-').next()?).map(|release| release.major).filter(|major| (5..100).contains(major))
}

fn directories(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit_once('/').map_or("", |(above, _)| above).split('/')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn homes_tell_their_version() {
        assert_eq!(numbered("/etc/java-17-openjdk/security/java.security"), Some(17));
        assert_eq!(numbered("/usr/lib/jvm/temurin-25-jdk-amd64/conf/security/java.security"), Some(25));
        assert_eq!(numbered("/opt/jdk1.8.0_392/jre/lib/security/java.security"), Some(8));
        assert_eq!(numbered("/opt/jdk-21.0.8+9/conf/security/java.security"), Some(21));
        assert_eq!(numbered("/opt/app/conf/security/java.security"), None);
        assert_eq!(numbered("/opt/app/jdk17.properties"), None);
        assert_eq!(numbers("1.8.0_392"), Some(Release::new(8, 0, 392)));
    }
}
