//! The few URLs that are fetched.

use tlswhy_model::printable;

/// The longest URL, in bytes.
const LONGEST: usize = 2048;

/// An `http` URL (RFC 9110 §4.2.1), in parts that can be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Url {
    /// Without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// Path and query.
    pub(super) target: String,
}

impl Url {
    /// The error says why it is not fetched.
    pub(super) fn parse(text: &str) -> Result<Url, String> {
        if text.len() > LONGEST {
            return Err("the URL is too long".to_owned());
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("the URL has characters that belong into none".to_owned());
        }
        let rest = match text.split_once("://") {
            Some((scheme, rest)) if scheme.eq_ignore_ascii_case("http") => rest,
            _ => return Err("only http is fetched".to_owned()),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, target) = rest.split_at(end);
        let target = target.split('#').next().unwrap_or_default();
        let target = if target.starts_with('/') { target.to_owned() } else { format!("/{target}") };
        if authority.contains('@') {
            return Err("a URL with a user name is not fetched".to_owned());
        }
        let (host, port) = match authority.strip_prefix('[') {
            Some(rest) => rest.split_once(']').map(|(host, port)| (host, port.strip_prefix(':').unwrap_or(port))),
            None => Some(authority.split_once(':').unwrap_or((authority, ""))),
        }
        .ok_or("the URL has no host")?;
        let port = if port.is_empty() { Some(80) } else { port.parse().ok().filter(|port| *port != 0) };
        let port = port.ok_or("the URL has no port from 1 to 65535")?;
        let sensible = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_' | ':');
        if host.is_empty() || !host.chars().all(sensible) {
            return Err("the URL has no host".to_owned());
        }
        Ok(Url { host: host.to_owned(), port, target })
    }

    /// Where a redirection leads (RFC 3986 §5.2.2, without folding of dots, which is the server's affair).
    pub(super) fn join(&self, location: &str) -> Result<Url, String> {
        let location = location.split('#').next().unwrap_or_default();
        let path = self.target.split('?').next().unwrap_or_default();
        let whole = match location {
            _ if has_scheme(location) => location.to_owned(),
            _ if location.starts_with("//") => format!("http:{location}"),
            _ if location.starts_with('/') => format!("http://{}{location}", self.authority()),
            _ if location.starts_with('?') => format!("http://{}{path}{location}", self.authority()),
            _ => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                format!("http://{}{folder}/{location}", self.authority())
            }
        };
        Url::parse(&whole).map_err(|why| format!("it redirects to {}: {why}", printable(location, 80)))
    }

    /// Host and, unless it is the usual one, port.
    pub(super) fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == 80 { host } else { format!("{host}:{}", self.port) }
    }

    pub(super) fn absolute(&self) -> String {
        format!("http://{}{}", self.authority(), self.target)
    }
}

fn has_scheme(location: &str) -> bool {
    location.split_once(':').is_some_and(|(scheme, _)| {
        scheme.starts_with(|c: char| c.is_ascii_alphabetic())
            && scheme.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '-' | '.'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn http_alone_is_fetched() {
        let url = |text| Url::parse(text).unwrap();
        assert_eq!(url("http://ca.test").absolute(), "http://ca.test/");
        assert_eq!(url("HTTP://ca.test:80/a/b.crt?x=1#y").absolute(), "http://ca.test/a/b.crt?x=1");
        assert_eq!(url("http://[::1]:8080?q").absolute(), "http://[::1]:8080/?q");
        for text in [
            "https://ca.test/",
            "ldap://ca.test/cn=x",
            "file:///etc/passwd",
            "ca.test/a",
            "http://",
            "http:///a",
            "http://u:p@ca.test/",
            "http://ca.test/a b",
            "http://ca.test/\r\nX: y",
            "http://ca.test:0/",
            "http://ca.test:99999/",
            "http://[::1/",
            "http://[::1]x/",
            "http://c%61/",
        ] {
            assert!(Url::parse(text).is_err(), "{text}");
        }
        assert_eq!(Url::parse("https://ca.test/"), Err("only http is fetched".to_owned()));
    }

    #[test]
    fn redirections_are_resolved_and_stay_with_http() {
        let base = Url::parse("http://ca.test:81/a/b?c").unwrap();
        for (location, expected) in [
            ("http://other.test/x", "http://other.test/x"),
            ("//other.test/x", "http://other.test/x"),
            ("/x?y", "http://ca.test:81/x?y"),
            ("x", "http://ca.test:81/a/x"),
            ("?z", "http://ca.test:81/a/b?z"),
            ("#f", "http://ca.test:81/a/"),
        ] {
            assert_eq!(base.join(location).unwrap().absolute(), expected);
        }
        for location in ["https://ca.test/", "file:/etc/passwd", "gopher://x/", "http://a\u{1b}[2J/"] {
            let error = base.join(location).unwrap_err();
            assert!(error.starts_with("it redirects to") && !error.contains('\u{1b}'), "{error}");
        }
    }
}
