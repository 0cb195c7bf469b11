//! Products and libraries by version: what each can do, what is on by default, until when it is mended. Tables in `software/*.toml`.

use std::sync::LazyLock;

use serde::Deserialize;
use tlswhy_model::{Abilities, EndOfLife, Lacking, printable};
use tlswhy_wire::ProtocolVersion;

/// Names of products, as tables and inventories have them, as people write them, and as client profiles do.
const NAMES: &[(&str, &str, &[&str])] = &[
    ("apache", "Apache", &["apache httpd"]),
    ("aws-lc", "AWS-LC", &[]),
    ("boringssl", "BoringSSL", &[]),
    ("caddy", "Caddy", &[]),
    ("dovecot", "Dovecot", &[]),
    ("gnutls", "GnuTLS", &[]),
    ("go", "Go", &[]),
    ("haproxy", "HAProxy", &[]),
    ("java", "Java", &["openjdk", "java se"]),
    ("libpq", "libpq", &[]),
    ("libressl", "LibreSSL", &[]),
    ("mariadb", "MariaDB", &[]),
    ("mbedtls", "Mbed TLS", &[]),
    ("mysql", "MySQL", &[]),
    ("node", "Node.js", &[]),
    ("nss", "NSS", &[]),
    ("openssl", "OpenSSL", &[]),
    ("perl", "Perl (Net::SSLeay)", &[]),
    ("php", "PHP", &[]),
    ("postfix", "Postfix", &[]),
    ("postgresql", "PostgreSQL", &[]),
    ("python", "Python", &[]),
    ("ruby", "Ruby", &[]),
    ("wolfssl", "wolfSSL", &[]),
];

/// What a version can do.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Version {
    product: String,
    from: String,
    before: Option<String>,
    can: Option<Vec<ProtocolVersion>>,
    by_default: Option<Vec<ProtocolVersion>>,
    note: Option<String>,
    end_of_life: Option<String>,
    source: String,
}

/// What came with a version.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Since {
    product: String,
    version: String,
    what: Vec<String>,
    /// From the first of these on, before the second, it is missing again: it was brought to an older line of releases later.
    but_not: Option<[String; 2]>,
    source: String,
}

impl Since {
    /// The version that brings it to this one, where this one has it not.
    fn missing_in(&self, number: Number) -> Option<&str> {
        let of = |version: &str| Number::of(&self.product, version);
        if of(&self.version)? > number {
            return Some(&self.version);
        }
        let [from, before] = self.but_not.as_ref()?;
        (of(from)? <= number && number < of(before)?).then_some(before)
    }
}

/// A distribution.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct System {
    system: String,
    end_of_life: String,
    note: Option<String>,
    source: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Tables {
    version: Vec<Version>,
    since: Vec<Since>,
    system: Vec<System>,
}

const FILES: &[&str] = &[
    include_str!("software/libraries.toml"),
    include_str!("software/runtimes.toml"),
    include_str!("software/programs.toml"),
    include_str!("software/since.toml"),
    include_str!("software/systems.toml"),
];

static TABLES: LazyLock<Tables> = LazyLock::new(|| {
    let mut all = Tables::default();
    // A test reads every file; what cannot be read is missing.
    for tables in FILES.iter().filter_map(|text| toml::from_str::<Tables>(text).ok()) {
        all.version.extend(tables.version);
        all.since.extend(tables.since);
        all.system.extend(tables.system);
    }
    all
});

/// Whether a version can do something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ability {
    /// It can, and does where nobody switches it off.
    ByDefault,
    /// It can, where it is switched on.
    Can,
    /// It cannot.
    Cannot {
        /// The first version that can; `None` where none is known.
        since: Option<String>,
        /// Where that is known from.
        source: String,
    },
    /// Not known.
    Unknown,
}

/// The name of a product for people.
pub fn title(product: &str) -> String {
    NAMES
        .iter()
        .find(|(known, ..)| *known == product)
        .map_or_else(|| printable(product, 60), |(_, title, _)| (*title).to_owned())
}

/// The product that somebody calls so: `OpenJDK`, `openssl`.
pub fn product(name: &str) -> Option<&'static str> {
    let is_it = |(product, title, others): &&(&'static str, &str, &[&str])| {
        name.eq_ignore_ascii_case(product)
            || name.eq_ignore_ascii_case(title)
            || others.iter().any(|other| name.eq_ignore_ascii_case(other))
    };
    NAMES.iter().find(is_it).map(|(product, ..)| *product)
}

/// What a version can do, where it is known.
pub fn abilities(product: &str, version: &str) -> Option<Abilities> {
    let (number, row) = row(product, version)?;
    let newest = TABLES.version.iter().rfind(|other| other.product == product).and_then(|newest| newest.can.as_ref());
    let can = row.can.as_deref().unwrap_or_default();
    let versions =
        newest.into_iter().flatten().filter(|one| row.can.is_some() && !can.contains(one) && **one > ProtocolVersion::TLSV1_1);
    let versions = versions.filter_map(|one| Some(Lacking { what: one.to_string(), since: first(product, *one)?.to_owned() }));
    let of_product = TABLES.since.iter().filter(|since| since.product == product);
    let later = of_product.filter_map(|since| Some((since, since.missing_in(number)?)));
    let others = later
        .flat_map(|(since, version)| since.what.iter().map(|what| Lacking { what: what.clone(), since: version.to_owned() }));
    Some(Abilities {
        versions: row.can.clone(),
        by_default: row.by_default.clone(),
        lacks: versions.chain(others).collect(),
        note: row.note.clone(),
        source: row.source.clone(),
    })
}

/// Until when a version is mended, judged on a day (`2026-11-29`): by its makers, or by the distribution whose package it is.
pub fn end_of_life(product: &str, version: &str, system_of_its_package: Option<&str>, today: &str) -> Option<EndOfLife> {
    let known = |date: &str, by: String, source: &str| EndOfLife {
        date: date.to_owned(),
        passed: today > date,
        by,
        source: source.to_owned(),
    };
    if let Some(system) = system_of_its_package {
        let row = TABLES.system.iter().find(|row| is_of(system, &row.system))?;
        let note = row.note.as_deref().map(|note| format!(" ({note})")).unwrap_or_default();
        return Some(known(&row.end_of_life, format!("{system}{note}"), &row.source));
    }
    let (_, row) = row(product, version)?;
    Some(known(row.end_of_life.as_deref()?, "its makers".to_owned(), &row.source))
}

/// Whether a version can speak a version of TLS.
pub fn speaks(product: &str, version: &str, wanted: ProtocolVersion) -> Ability {
    let Some((_, row)) = row(product, version) else { return Ability::Unknown };
    match (&row.can, &row.by_default) {
        (_, Some(on)) if on.contains(&wanted) => Ability::ByDefault,
        (Some(can), _) if can.contains(&wanted) => Ability::Can,
        (Some(_), _) => Ability::Cannot { since: first(product, wanted).map(str::to_owned), source: row.source.clone() },
        (None, _) => Ability::Unknown,
    }
}

/// Whether a version has a group, suite, signature scheme or extension, by its IANA name.
pub fn has(product: &str, version: &str, wanted: &str) -> Ability {
    let names = |since: &&Since| since.product == product && since.what.iter().any(|what| fits(what, wanted));
    let Some(since) = TABLES.since.iter().find(names) else { return Ability::Unknown };
    let Some(number) = Number::of(product, version) else { return Ability::Unknown };
    match since.missing_in(number) {
        Some(version) => Ability::Cannot { since: Some(version.to_owned()), source: since.source.clone() },
        None => Ability::ByDefault,
    }
}

fn row(product: &str, version: &str) -> Option<(Number, &'static Version)> {
    let number = Number::of(product, version)?;
    let holds = |row: &&Version| {
        row.product == product
            && Number::of(product, &row.from) <= Some(number)
            && row.before.as_deref().is_none_or(|before| Number::of(product, before) > Some(number))
    };
    Some((number, TABLES.version.iter().find(holds)?))
}

/// The first version of a product that speaks a version of TLS.
fn first(product: &str, wanted: ProtocolVersion) -> Option<&'static str> {
    let speaks = |row: &&Version| row.product == product && row.can.as_ref().is_some_and(|can| can.contains(&wanted));
    TABLES.version.iter().find(speaks).map(|row| row.from.as_str())
}

/// Whether `debian 12.4` is `debian 12`.
fn is_of(system: &str, row: &str) -> bool {
    system.strip_prefix(row).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
}

/// Whether a name has a form in which `*` stands for anything.
fn fits(form: &str, name: &str) -> bool {
    match form.split_once('*') {
        Some((before, after)) => name.len() >= before.len() + after.len() && name.starts_with(before) && name.ends_with(after),
        None => form.eq_ignore_ascii_case(name),
    }
}

/// A version as something that can be compared: `1.0.2k` is `[1, 0, 2, 11]`, Java's `8u161` and `1.8.0_161` are `[8, 0, 161, 0]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Number([u32; 4]);

impl Number {
    fn of(product: &str, text: &str) -> Option<Number> {
        let text = match text.split_once(':') {
            Some((epoch, rest)) if !epoch.is_empty() && epoch.bytes().all(|byte| byte.is_ascii_digit()) => rest,
            _ => text,
        };
        let end = text.find(|c: char| !(c.is_ascii_alphanumeric() || c == '.' || c == '_')).unwrap_or(text.len());
        let mut text = text.get(..end)?.to_owned();
        if product == "java" {
            let is_old = text.strip_prefix("1.").is_some_and(|rest| rest.starts_with(['5', '6', '7', '8']));
            if is_old {
                text = text.trim_start_matches("1.").to_owned();
            }
            text = text.replacen('u', ".0.", 1).replace('_', ".");
        }
        let mut numbers = [0; 4];
        let mut parts = text.split('.');
        let mut letters = "";
        for place in numbers.iter_mut() {
            let Some(part) = parts.next() else { break };
            let digits = part.find(|c: char| !c.is_ascii_digit()).unwrap_or(part.len());
            *place = part.get(..digits)?.parse().ok()?;
            letters = part.get(digits..)?;
            if !letters.is_empty() {
                break;
            }
        }
        if product == "openssl" {
            // `za` follows `z`.
            let count = letters.bytes().map_while(|byte| byte.is_ascii_lowercase().then(|| u32::from(byte - b'a' + 1)));
            numbers[3] = count.sum();
        }
        Some(Number(numbers))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tables_are_read_whole_and_in_order() {
        let mut rows = 0;
        for file in FILES {
            let tables: Tables = toml::from_str(file).unwrap();
            rows += tables.version.len() + tables.since.len() + tables.system.len();
        }
        assert_eq!(rows, TABLES.version.len() + TABLES.since.len() + TABLES.system.len());
        for pair in TABLES.version.windows(2).filter(|pair| pair[0].product == pair[1].product) {
            let (product, end) = (&pair[0].product, pair[0].before.as_deref().unwrap());
            assert!(Number::of(product, end).unwrap() <= Number::of(product, &pair[1].from).unwrap(), "{pair:?}");
        }
        for row in &TABLES.version {
            assert!(!row.source.is_empty() && Number::of(&row.product, &row.from).is_some(), "{row:?}");
            let on = row.by_default.iter().flatten();
            assert!(on.into_iter().all(|one| row.can.as_ref().unwrap().contains(one)), "{row:?}");
            assert!(row.end_of_life.as_ref().is_none_or(|day| day.parse::<jiff::civil::Date>().is_ok()), "{row:?}");
        }
    }

    #[test]
    fn versions_are_compared_as_their_makers_count() {
        let of = |product, text| Number::of(product, text).unwrap().0;
        assert_eq!(of("openssl", "1.0.2k-fips"), [1, 0, 2, 11]);
        assert_eq!(of("openssl", "0.9.8zh"), [0, 9, 8, 34]);
        assert_eq!(of("java", "8u161"), [8, 0, 161, 0]);
        assert_eq!(of("java", "1.8.0_161"), [8, 0, 161, 0]);
        assert_eq!(of("java", "17.0.15+6-1~deb12u1"), [17, 0, 15, 0]);
        assert_eq!(of("nss", "2:3.87.1-1+deb12u4"), [3, 87, 1, 0]);
        assert_eq!(Number::of("openssl", "unknown"), None);
    }

    #[test]
    fn what_a_version_can_do_is_told_with_what_brought_the_rest() {
        assert_eq!(speaks("openssl", "1.0.2k", ProtocolVersion::TLSV1_2), Ability::ByDefault);
        let cannot = speaks("openssl", "1.0.2k", ProtocolVersion::TLSV1_3);
        assert!(matches!(cannot, Ability::Cannot { since: Some(since), .. } if since == "1.1.1"));
        assert_eq!(speaks("java", "8u261", ProtocolVersion::TLSV1_3), Ability::Can);
        assert_eq!(speaks("python", "3.11", ProtocolVersion::TLSV1_3), Ability::Unknown);
        assert!(matches!(has("openssl", "1.0.2k", "x25519"), Ability::Cannot { .. }));
        assert!(matches!(has("openssl", "1.0.2k", "TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256"), Ability::Cannot { .. }));
        assert_eq!(has("openssl", "1.0.2k", "secp521r1"), Ability::Unknown);
        // Brought to an older line later than to the one behind it.
        let java = |version| match has("java", version, "x25519") {
            Ability::Cannot { since, .. } => since,
            _ => None,
        };
        let brought = ["11.0.9", "11.0.10", "12.0.2", "13", "17.0.15"].map(java);
        assert_eq!(brought, [Some("11.0.10".to_owned()), None, Some("13".to_owned()), None, None]);
        let lacks = abilities("openssl", "1.1.0i").unwrap().lacks;
        assert!(lacks.iter().any(|one| one.what == "TLSv1.3" && one.since == "1.1.1"), "{lacks:?}");
        assert_eq!(abilities("openssl", "3.6.1").unwrap().lacks, []);
    }

    #[test]
    fn a_package_is_mended_as_long_as_its_distribution_is() {
        let of_makers = end_of_life("openssl", "3.0.19", None, "2026-11-29").unwrap();
        let of_debian = end_of_life("openssl", "3.0.19", Some("debian 12"), "2026-11-29").unwrap();
        assert_eq!((of_makers.passed, of_debian.passed), (true, false));
        assert_eq!(end_of_life("openssl", "3.0.19", Some("void 1"), "2026-11-29"), None);
    }
}
