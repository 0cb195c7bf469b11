//! Proxies: which one, as options and environment variables say it, and the way through it.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use tlswhy_wire::dialogue::Dialogue;
use tlswhy_wire::tunnel;

use crate::base64;

/// The port that is used where none is given, as curl has it.
const DEFAULT_PORT: u16 = 1080;

/// A proxy. Printing it shows no credentials.
#[derive(Clone, PartialEq, Eq)]
pub struct Proxy {
    kind: Kind,
    host: String,
    port: u16,
    credentials: Option<(String, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// HTTP CONNECT.
    Http,
    /// SOCKS5; the target's name is resolved here.
    Socks5,
    /// SOCKS5; the proxy resolves the target's name.
    Socks5h,
}

impl Kind {
    fn scheme(self) -> &'static str {
        match self {
            Kind::Http => "http",
            Kind::Socks5 => "socks5",
            Kind::Socks5h => "socks5h",
        }
    }
}

/// A text that names no proxy that can be used. Its message holds no credentials.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InvalidProxy(String);

impl fmt::Display for InvalidProxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "not a proxy: {}", self.0)
    }
}

impl std::error::Error for InvalidProxy {}

impl FromStr for Proxy {
    type Err = InvalidProxy;

    /// `[http|socks5|socks5h://][user:password@]host[:port][/]`. Without a scheme it is an HTTP proxy, without a port 1080.
    fn from_str(text: &str) -> Result<Proxy, InvalidProxy> {
        let invalid = |why: &str| InvalidProxy(why.to_owned());
        let (scheme, rest) = text.split_once("://").unwrap_or(("http", text));
        let kind = match scheme.to_ascii_lowercase().as_str() {
            "http" => Kind::Http,
            "socks5" => Kind::Socks5,
            "socks5h" => Kind::Socks5h,
            other if other.chars().all(|c| c.is_ascii_alphanumeric()) => {
                return Err(InvalidProxy(format!("the scheme {other:?} is none of http, socks5 and socks5h")));
            }
            _ => return Err(invalid("the scheme is none of http, socks5 and socks5h")),
        };
        let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let (login, address) = match authority.rsplit_once('@') {
            Some((login, address)) => (Some(login), address),
            None => (None, authority),
        };
        let credentials = login
            .map(|login| {
                let (user, password) = login.split_once(':').unwrap_or((login, ""));
                let decoded = percent_decoded(user).zip(percent_decoded(password));
                decoded.ok_or_else(|| invalid("user name or password is not percent-encoded text"))
            })
            .transpose()?;
        let (host, port) = if let Some(rest) = address.strip_prefix('[') {
            let (host, port) = rest.split_once(']').ok_or_else(|| invalid("the bracket of the address is not closed"))?;
            (host, port.strip_prefix(':'))
        } else {
            address.rsplit_once(':').map_or((address, None), |(host, port)| (host, Some(port)))
        };
        let port = match port {
            None | Some("") => DEFAULT_PORT,
            Some(port) => {
                port.parse().ok().filter(|port| *port != 0).ok_or_else(|| invalid("the port is no number from 1 to 65535"))?
            }
        };
        let sensible = |c: char| c.is_alphanumeric() || matches!(c, '.' | '-' | '_' | ':' | '%');
        if host.is_empty() || !host.chars().all(sensible) {
            return Err(invalid("it has no host name"));
        }
        Ok(Proxy { kind, host: host.to_owned(), port, credentials })
    }
}

impl fmt::Display for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = self.kind.scheme();
        if self.host.contains(':') {
            write!(f, "{scheme}://[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{scheme}://{}:{}", self.host, self.port)
        }
    }
}

impl fmt::Debug for Proxy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Proxy {
    /// Name or address of the proxy itself, without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Its port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether the proxy resolves the target's name, so that nobody here needs to.
    pub fn resolves(&self) -> bool {
        self.kind != Kind::Socks5
    }

    /// Whether it speaks HTTP, so that it can be asked for a URL.
    pub(crate) fn is_http(&self) -> bool {
        self.kind == Kind::Http
    }

    /// User name and password as HTTP has them (RFC 7617).
    pub(crate) fn basic_credentials(&self) -> Option<String> {
        let (user, password) = self.credentials.as_ref()?;
        Some(base64::encode(format!("{user}:{password}").as_bytes()))
    }

    /// The dialogue that opens a tunnel.
    pub(crate) fn dialogue(&self, host: &str, port: u16) -> Box<dyn Dialogue> {
        let auth = self.credentials.as_ref().map(|(user, password)| (user.as_str(), password.as_str()));
        match self.kind {
            Kind::Http => tunnel::http_connect(host, port, auth),
            Kind::Socks5 | Kind::Socks5h => tunnel::socks5(host, port, auth),
        }
    }

    /// What was said to or by the proxy, without the credentials.
    pub(crate) fn masked(&self, said: &[u8]) -> Vec<u8> {
        let (Some((user, _)), Some(basic)) = (&self.credentials, self.basic_credentials()) else {
            return said.to_vec();
        };
        match (self.kind, said) {
            // RFC 1929 §2: version 1, then user name and password, each with its length.
            (Kind::Socks5 | Kind::Socks5h, [1, length, login @ ..])
                if usize::from(*length) == user.len() && login.starts_with(user.as_bytes()) =>
            {
                b"\x01\x03***\x03***".to_vec()
            }
            (Kind::Socks5 | Kind::Socks5h, _) => said.to_vec(),
            // A proxy may quote the request in its answer.
            (Kind::Http, _) => replaced(said, basic.as_bytes()),
        }
    }
}

/// Every occurrence of the secret becomes `***`.
fn replaced(text: &[u8], secret: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        match rest.strip_prefix(secret) {
            Some(behind) if !secret.is_empty() => {
                output.extend_from_slice(b"***");
                rest = behind;
            }
            _ => {
                output.push(*first);
                rest = after;
            }
        }
    }
    output
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        if byte == b'%' {
            let (digits, after) = rest.split_at_checked(2)?;
            bytes.push(u8::from_str_radix(std::str::from_utf8(digits).ok().filter(|d| !d.starts_with('+'))?, 16).ok()?);
            rest = after;
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

/// The proxy that the environment names for connections of this URL scheme to this host, by the rules of curl: `<scheme>_proxy`
/// in small, then (but for http) in capital letters, then `all_proxy`; none if `no_proxy` covers the host.
pub fn proxy_from_environment(scheme: &str, host: &str) -> Result<Option<Proxy>, InvalidProxy> {
    from_variables(scheme, host, |name| std::env::var(name).ok())
}

fn from_variables(scheme: &str, host: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Option<Proxy>, InvalidProxy> {
    let set = |name: String| variable(&name).filter(|value| !value.is_empty()).map(|value| (name, value));
    let either = |name: &str| set(name.to_owned()).or_else(|| set(name.to_uppercase()));
    if either("no_proxy").is_some_and(|(_, list)| is_excluded(host, &list)) {
        return Ok(None);
    }
    let scheme = scheme.to_ascii_lowercase();
    // HTTP_PROXY can be set by the header "Proxy:" of a request to a CGI program.
    let own = if scheme == "http" { set("http_proxy".to_owned()) } else { either(&format!("{scheme}_proxy")) };
    let Some((name, value)) = own.or_else(|| either("all_proxy")) else {
        return Ok(None);
    };
    value.trim().parse().map(Some).map_err(|InvalidProxy(why)| InvalidProxy(format!("{why} (in {name})")))
}

/// Whether `no_proxy` covers the host: `*`, a name or a parent of it (with or without a leading dot), an address, or a network.
fn is_excluded(host: &str, list: &str) -> bool {
    if list.trim() == "*" {
        return true;
    }
    let host = host.trim_start_matches('[').trim_end_matches(']').trim_end_matches('.');
    let address: Option<IpAddr> = host.parse().ok();
    list.split([',', ' ', '\t']).filter(|entry| !entry.is_empty()).any(|entry| match address {
        Some(address) => covers(entry, address),
        None => {
            let parent = entry.trim_start_matches('.').trim_end_matches('.');
            let is_parent = || {
                let split = host.len().checked_sub(parent.len())?;
                let (before, tail) = host.split_at_checked(split)?;
                Some(before.ends_with('.') && tail.eq_ignore_ascii_case(parent))
            };
            !parent.is_empty() && (host.eq_ignore_ascii_case(parent) || is_parent() == Some(true))
        }
    })
}

/// Whether an entry is this address or a network (`10.0.0.0/8`) around it.
fn covers(entry: &str, address: IpAddr) -> bool {
    let (network, bits) = entry.split_once('/').map_or((entry, None), |(network, bits)| (network, Some(bits)));
    let network = network.trim_start_matches('[').trim_end_matches(']');
    let Ok(network) = network.parse::<IpAddr>() else {
        return false;
    };
    let (network, address, width) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (u32::from(network).into(), u32::from(address).into(), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => (u128::from(network), u128::from(address), 128),
        _ => return false,
    };
    let bits = match bits.map(str::parse::<u32>) {
        None => width,
        Some(Ok(bits)) if bits <= width => bits,
        Some(_) => return false,
    };
    (network ^ address).checked_shr(width - bits).unwrap_or(0) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_curl_reads_and_never_prints_credentials() {
        let proxy: Proxy = "http://us%40er:p%3aw@proxy.example:3128/".parse().unwrap();
        assert_eq!(proxy.to_string(), "http://proxy.example:3128");
        assert_eq!(proxy.credentials, Some(("us@er".into(), "p:w".into())));
        assert!(!format!("{proxy:?}").contains("er"[..].repeat(2).as_str()));
        let proxy: Proxy = "socks5h://[::1]".parse().unwrap();
        assert_eq!((proxy.host(), proxy.port(), proxy.resolves()), ("::1", 1080, true));
        assert!("socks5://h:1".parse::<Proxy>().is_ok_and(|proxy| !proxy.resolves()));
        assert_eq!("proxy:8080".parse::<Proxy>().unwrap().to_string(), "http://proxy:8080");
        for text in ["", "http://", "ftp://h", "http://h:0", "http://h:x", "http://u:%zz@h", "http://[::1", "http://a b:1"] {
            assert!(text.parse::<Proxy>().is_err(), "{text}");
        }
        let secret = "https://user:secret@h".parse::<Proxy>().unwrap_err();
        assert!(!secret.to_string().contains("secret"));
    }

    #[test]
    fn the_environment_is_read_by_the_rules_of_curl() {
        let with = |scheme: &str, host: &str, variables: &[(&str, &str)]| {
            let value = |name: &str| variables.iter().find(|(n, _)| *n == name).map(|(_, value)| (*value).to_owned());
            from_variables(scheme, host, value).unwrap().map(|proxy| proxy.to_string())
        };
        assert_eq!(with("https", "a.b", &[]), None);
        assert_eq!(with("https", "a.b", &[("https_proxy", "x:1"), ("HTTPS_PROXY", "y:1")]), Some("http://x:1".into()));
        assert_eq!(with("https", "a.b", &[("https_proxy", ""), ("HTTPS_PROXY", "y:1")]), Some("http://y:1".into()));
        assert_eq!(with("https", "a.b", &[("ALL_PROXY", "socks5://y:1")]), Some("socks5://y:1".into()));
        assert_eq!(with("http", "a.b", &[("HTTP_PROXY", "y:1")]), None);
        assert_eq!(with("https", "a.b", &[("all_proxy", "y:1"), ("no_proxy", ".b")]), None);
        let wrong = from_variables("https", "h", |name| (name == "all_proxy").then(|| "gopher://u:pw@h".to_owned()));
        let wrong = wrong.unwrap_err().to_string();
        assert!(wrong.contains("all_proxy") && !wrong.contains("pw"), "{wrong}");
    }

    #[test]
    fn no_proxy_knows_names_addresses_and_networks() {
        for (host, list, expected) in [
            ("a.example.com", "example.com", true),
            ("a.example.com", ".example.com", true),
            ("example.com", ".example.com", true),
            ("EXAMPLE.com.", "example.COM", true),
            ("notexample.com", "example.com", false),
            ("a.example.com", "b, c *", false),
            ("a", "*", true),
            ("a", "", false),
            ("10.1.2.3", "10.0.0.0/8", true),
            ("11.1.2.3", "10.0.0.0/8", false),
            ("10.1.2.3", "10.1.2.3", true),
            ("10.1.2.3", "0.0.0.0/0", true),
            ("[::1]", "::1", true),
            ("fe80::1", "[fe80::]/10", true),
            ("fe80::1", "fe80::/129", false),
            ("10.1.2.3", "2.3", false),
        ] {
            assert_eq!(is_excluded(host, list), expected, "{host} {list}");
        }
    }

    #[test]
    fn credentials_are_masked_in_what_was_said() {
        let proxy: Proxy = "http://u:pw@h:1".parse().unwrap();
        let said = proxy.masked(b"CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic dTpwdw==\r\n\r\n");
        assert_eq!(said, b"CONNECT a:1 HTTP/1.1\r\nProxy-Authorization: Basic ***\r\n\r\n");
        let proxy: Proxy = "socks5://u:pw@h:1".parse().unwrap();
        assert_eq!(proxy.masked(b"\x01\x01u\x02pw"), b"\x01\x03***\x03***");
        assert_eq!(proxy.masked(b"\x05\x01\x00"), b"\x05\x01\x00");
    }
}
