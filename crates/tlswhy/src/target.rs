//! What the user names as target: a host, an address or a URL.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

use tlswhy_model::printable;
use tlswhy_wire::upgrade::{UPGRADES, Upgrade, upgrade};

/// Port where neither the target nor its scheme nor an upgrade names one.
const HTTPS_PORT: u16 = 443;

/// URL schemes whose TLS begins with the first byte, beside those that come with [`UPGRADES`]; sorted.
const TLS_SCHEMES: &[(&str, u16)] = &[
    ("amqps", 5671),
    ("https", HTTPS_PORT),
    ("mqtts", 8883),
    ("rediss", 6379),
    ("sips", 5061),
    ("ssl", HTTPS_PORT),
    ("tls", HTTPS_PORT),
    ("turns", 5349),
    ("wss", HTTPS_PORT),
];

/// URL schemes without any TLS, and the one that their users may have meant.
const PLAIN_SCHEMES: &[(&str, &str)] =
    &[("amqp", "amqps"), ("http", "https"), ("mqtt", "mqtts"), ("redis", "rediss"), ("ws", "wss")];

/// A target, read and found possible.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// As given, without credentials, path and query.
    pub(crate) given: String,
    /// Where to connect to; names are A-labels (RFC 5890).
    pub(crate) host: Host,
    /// The port, where one was named.
    port: Option<u16>,
    /// The scheme, where it is a URL.
    scheme: Option<Scheme>,
}

/// A name or an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// A name in ASCII; may end with the dot of an absolute name.
    Name(String),
    /// A literal address.
    Address(IpAddr),
}

/// A URL scheme that is known.
#[derive(Clone, Debug)]
struct Scheme {
    name: String,
    port: u16,
    upgrade: Option<&'static Upgrade>,
}

/// Why a target cannot be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Impossible(String);

impl Impossible {
    /// For this reason.
    pub(crate) fn because(reason: impl Into<String>) -> Impossible {
        Impossible(reason.into())
    }
}

impl fmt::Display for Impossible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Impossible {}

impl Target {
    /// The STARTTLS dialogue that the scheme asks for.
    pub(crate) fn upgrade(&self) -> Option<&'static Upgrade> {
        self.scheme.as_ref()?.upgrade
    }

    /// The scheme of the URL.
    pub(crate) fn scheme(&self) -> Option<&str> {
        self.scheme.as_ref().map(|scheme| scheme.name.as_str())
    }

    /// The port: as given, else that of the scheme, else the usual one of the upgrade, else 443.
    pub(crate) fn port(&self, upgrade: Option<&Upgrade>) -> u16 {
        let usual = || upgrade.map_or(HTTPS_PORT, |upgrade| upgrade.port);
        self.port.or(self.scheme.as_ref().map(|scheme| scheme.port)).unwrap_or_else(usual)
    }
}

impl Host {
    /// The name to send as SNI: none for addresses (RFC 6066 §3), no final dot.
    pub(crate) fn server_name(&self) -> Option<&str> {
        match self {
            Host::Name(name) => Some(name.strip_suffix('.').unwrap_or(name)),
            Host::Address(_) => None,
        }
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Name(name) => f.write_str(name),
            Host::Address(address) => write!(f, "{address}"),
        }
    }
}

impl FromStr for Target {
    type Err = Impossible;

    fn from_str(text: &str) -> Result<Self, Impossible> {
        let (scheme, authority) = match text.split_once("://") {
            Some((scheme, rest)) => {
                let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
                // What stands before the last @ are credentials, which nobody wants to see in a report.
                let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
                (Some(Scheme::named(scheme)?), authority)
            }
            None => (None, text),
        };
        let (host, port) = host_and_port(authority, scheme.is_some())?;
        let given = match &scheme {
            Some(scheme) => format!("{}://{authority}", scheme.name),
            None => text.to_owned(),
        };
        Ok(Target { given, host, port, scheme })
    }
}

impl Scheme {
    fn named(text: &str) -> Result<Scheme, Impossible> {
        let name = text.to_ascii_lowercase();
        let plain = |upgrade: &&&Upgrade| upgrade.scheme == name || upgrade.aliases.contains(&name.as_str());
        if let Some(upgrade) = UPGRADES.iter().find(plain) {
            return Ok(Scheme { name, port: upgrade.port, upgrade: Some(upgrade) });
        }
        let implicit = UPGRADES.iter().filter_map(|upgrade| upgrade.tls_scheme);
        if let Some((_, port)) = implicit.chain(TLS_SCHEMES.iter().copied()).find(|(known, _)| *known == name) {
            return Ok(Scheme { name, port, upgrade: None });
        }
        if let Some((_, meant)) = PLAIN_SCHEMES.iter().find(|(plain, _)| *plain == name) {
            return Err(Impossible::because(format!("{name}:// has no TLS; {meant}:// has, or give HOST:PORT")));
        }
        Err(Impossible::because(format!(
            "unknown scheme `{}://`; known are {}",
            printable(text, 40),
            known_schemes().join(", ")
        )))
    }
}

/// Every scheme that a target may have, sorted.
pub(crate) fn known_schemes() -> Vec<&'static str> {
    let mut known: Vec<_> = UPGRADES
        .iter()
        .flat_map(|upgrade| [Some(upgrade.scheme), upgrade.tls_scheme.map(|(scheme, _)| scheme)])
        .flatten()
        .chain(TLS_SCHEMES.iter().map(|(scheme, _)| *scheme))
        .collect();
    known.sort_unstable();
    known.dedup();
    known
}

/// Reads the name of a STARTTLS dialogue.
pub(crate) fn starttls(text: &str) -> Result<&'static Upgrade, Impossible> {
    upgrade(text).ok_or_else(|| {
        let known: Vec<_> = UPGRADES.iter().map(|upgrade| upgrade.name).collect();
        Impossible::because(format!("no such STARTTLS protocol; known are {}", known.join(", ")))
    })
}

/// `host`, `host:port`, `address`, `[address]:port`.
fn host_and_port(text: &str, is_url: bool) -> Result<(Host, Option<u16>), Impossible> {
    if let Some(rest) = text.strip_prefix('[') {
        let Some((inner, after)) = rest.split_once(']') else {
            return Err(Impossible::because("the bracket of the IPv6 address is not closed"));
        };
        let address = ipv6(inner).ok_or_else(|| not_ipv6(inner))?;
        return match after.strip_prefix(':') {
            Some(digits) => Ok((Host::Address(address), port(digits, is_url)?)),
            None if after.is_empty() => Ok((Host::Address(address), None)),
            None => Err(Impossible::because(format!("after `]` only `:PORT` may follow, not `{}`", printable(after, 40)))),
        };
    }
    if let Some(address) = ipv6(text).filter(|_| !is_url) {
        return Ok((Host::Address(address), None));
    }
    match text.split_once(':') {
        None => Ok((host(text)?, None)),
        Some((_, after)) if after.contains(':') => {
            let tip = "write an IPv6 address with port as [ADDRESS]:PORT";
            Err(Impossible::because(format!("`{}` is neither HOST:PORT nor an IPv6 address; {tip}", printable(text, 80))))
        }
        Some((name, digits)) => Ok((host(name)?, port(digits, is_url)?)),
    }
}

fn ipv6(text: &str) -> Option<IpAddr> {
    text.parse::<Ipv6Addr>().ok().map(IpAddr::V6)
}

fn not_ipv6(text: &str) -> Impossible {
    let why = if text.contains('%') { " (zone identifiers such as %eth0 are not supported)" } else { "" };
    Impossible::because(format!("`{}` is not an IPv6 address{why}", printable(text, 60)))
}

/// A port; an empty one is allowed in URLs only (RFC 3986 §3.2.3).
fn port(digits: &str, is_url: bool) -> Result<Option<u16>, Impossible> {
    if digits.is_empty() && is_url {
        return Ok(None);
    }
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Impossible::because(format!("`{}` is not a port number", printable(digits, 40))));
    }
    match digits.parse::<u16>() {
        Ok(0) => Err(Impossible::because("nothing can listen on port 0; ports are 1 to 65535")),
        Ok(port) => Ok(Some(port)),
        Err(_) => Err(Impossible::because(format!("port {} is too high; ports are 1 to 65535", printable(digits, 20)))),
    }
}

/// A name or an IPv4 address.
fn host(text: &str) -> Result<Host, Impossible> {
    if let Ok(address) = text.parse::<Ipv4Addr>() {
        return Ok(Host::Address(IpAddr::V4(address)));
    }
    let last = text.strip_suffix('.').unwrap_or(text).rsplit('.').next().unwrap_or_default();
    if !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit()) {
        // The resolver would read `127.1` or `2130706433` as an address that nobody meant.
        return Err(Impossible::because(format!("`{}` looks like an IPv4 address and is none", printable(text, 80))));
    }
    domain_name(text).map(Host::Name)
}

/// A domain name as ASCII, checked against what DNS can hold (RFC 1035 §2.3.4).
pub(crate) fn domain_name(text: &str) -> Result<String, Impossible> {
    let shown = || printable(text, 80);
    if text.is_empty() {
        return Err(Impossible::because("the host name is empty"));
    }
    if let Some(bad) = text.chars().find(|c| c.is_ascii() && !c.is_ascii_alphanumeric() && !matches!(c, '-' | '_' | '.')) {
        let tip = if bad == '/' { "; a path needs a scheme, as in https://HOST/PATH" } else { "" };
        return Err(Impossible::because(format!("`{}` cannot stand in a host name{tip}", printable(&bad.to_string(), 1))));
    }
    let ascii = if text.is_ascii() {
        text.to_ascii_lowercase()
    } else {
        idna::domain_to_ascii(text)
            .map_err(|_| Impossible::because(format!("`{}` is not a name that IDNA (RFC 5891) allows", shown())))?
    };
    let relative = ascii.strip_suffix('.').unwrap_or(&ascii);
    if relative.len() > 253 {
        let length = relative.len();
        return Err(Impossible::because(format!("the host name has {length} characters; DNS allows 253")));
    }
    for label in relative.split('.') {
        if label.is_empty() {
            return Err(Impossible::because(format!("`{}` has an empty label (a dot too many)", shown())));
        }
        if label.len() > 63 {
            let (length, start) = (label.len(), printable(label, 20));
            return Err(Impossible::because(format!("the label `{start}` has {length} characters; DNS allows 63")));
        }
    }
    Ok(ascii)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (String, u16, Option<&'static str>) {
        let target: Target = text.parse().unwrap_or_else(|error| panic!("{text}: {error}"));
        let upgrade = target.upgrade();
        (target.host.to_string(), target.port(upgrade), upgrade.map(|upgrade| upgrade.name))
    }

    fn refused(text: &str) -> String {
        text.parse::<Target>().map(|target| panic!("{text} was taken as {target:?}")).unwrap_err().to_string()
    }

    #[test]
    fn hosts_addresses_and_ports_are_read() {
        assert_eq!(read("example.test"), ("example.test".into(), 443, None));
        assert_eq!(read("Example.TEST.:8443"), ("example.test.".into(), 8443, None));
        assert_eq!(read("127.0.0.1:65535"), ("127.0.0.1".into(), 65535, None));
        assert_eq!(read("::1"), ("::1".into(), 443, None));
        assert_eq!(read("[2001:db8::1]"), ("2001:db8::1".into(), 443, None));
        assert_eq!(read("[2001:db8::1]:25"), ("2001:db8::1".into(), 25, None));
        assert_eq!(read("my_service-1"), ("my_service-1".into(), 443, None));
        assert_eq!(read("grüße.example"), ("xn--gre-6ka8l.example".into(), 443, None));
    }

    #[test]
    fn urls_choose_port_and_upgrade_as_their_users_expect() {
        assert_eq!(read("https://example.test/a?b#c"), ("example.test".into(), 443, None));
        assert_eq!(read("HTTPS://example.test:/"), ("example.test".into(), 443, None));
        assert_eq!(read("smtp://mx.example.test"), ("mx.example.test".into(), 25, Some("smtp")));
        assert_eq!(read("smtp://mx.example.test:587"), ("mx.example.test".into(), 587, Some("smtp")));
        assert_eq!(read("smtps://mx.example.test"), ("mx.example.test".into(), 465, None));
        assert_eq!(read("imaps://[::1]"), ("::1".into(), 993, None));
        assert_eq!(read("postgresql://db.test/x"), ("db.test".into(), 5432, Some("postgres")));
        assert_eq!(read("wss://example.test"), ("example.test".into(), 443, None));
        for scheme in known_schemes() {
            read(&format!("{scheme}://example.test"));
        }
    }

    #[test]
    fn credentials_paths_and_queries_are_not_kept() {
        let target: Target = "postgres://joe:se@cret@db.test:5433/x?password=y".parse().unwrap();
        assert_eq!(target.given, "postgres://db.test:5433");
    }

    #[test]
    fn the_server_name_is_never_an_address_and_has_no_final_dot() {
        let name = |text: &str| text.parse::<Target>().unwrap().host.server_name().map(str::to_owned);
        assert_eq!(name("example.test."), Some("example.test".to_owned()));
        assert_eq!(name("localhost"), Some("localhost".to_owned()));
        assert_eq!(name("127.0.0.1"), None);
        assert_eq!(name("[::1]:443"), None);
    }

    #[test]
    fn an_upgrade_brings_its_usual_port() {
        let target: Target = "mail.test".parse().unwrap();
        assert_eq!(target.port(upgrade("smtp")), 25);
        let target: Target = "mail.test:587".parse().unwrap();
        assert_eq!(target.port(upgrade("smtp")), 587);
    }

    #[test]
    fn what_cannot_be_is_refused_with_one_clear_reason() {
        let long_label = format!("{}.test", "a".repeat(64));
        let long_name = "abcdefgh.".repeat(29);
        for (text, reason) in [
            ("", "empty"),
            (":443", "empty"),
            ("https://", "empty"),
            ("a..b", "empty label"),
            (".a", "empty label"),
            (&long_label, "DNS allows 63"),
            (&long_name, "DNS allows 253"),
            ("exa mple.test", "` ` cannot stand"),
            ("a\u{1b}b", "`\\u{1b}` cannot stand"),
            ("joe@example.test", "`@` cannot stand"),
            ("example.test/x", "https://HOST/PATH"),
            ("host:0", "port 0"),
            ("host:65536", "65535"),
            ("host:99999999999999999999", "65535"),
            ("host:", "not a port"),
            ("host:http", "not a port"),
            ("host:-1", "not a port"),
            ("host:+1", "not a port"),
            ("256.1.1.1", "looks like an IPv4"),
            ("127.1", "looks like an IPv4"),
            ("1.2.3.4.5:443", "looks like an IPv4"),
            ("2001:db8::1:zz", "[ADDRESS]:PORT"),
            ("[::1", "not closed"),
            ("[::1]443", "only `:PORT`"),
            ("[fe80::1%eth0]:443", "zone"),
            ("[example.test]:443", "not an IPv6"),
            ("gopher://example.test", "unknown scheme"),
            ("http://example.test", "https://"),
            ("https://user@", "empty"),
            ("a\u{ad}\u{378}.test", "IDNA"),
        ] {
            let error = refused(text);
            assert!(error.contains(reason), "{text:?}: {error}");
            assert!(!error.contains('\n'));
        }
    }
}
