//! The URLs of `[http "URL"]`, and which of them fits best (urlmatch.c; measured).

/// A URL in normal form.
#[derive(Clone, Debug)]
pub(super) struct Address {
    /// As written.
    pub(super) written: String,
    /// Lower case.
    pub(super) scheme: String,
    user: Option<String>,
    /// Lower case; `*` stands for one label.
    pub(super) host: String,
    pub(super) port: u16,
    /// Without the slash at its end.
    path: String,
}

impl PartialEq for Address {
    /// However it is written.
    fn eq(&self, other: &Address) -> bool {
        let Address { written: _, scheme, user, host, port, path } = self;
        *host == other.host && *port == other.port && *path == other.path && *scheme == other.scheme && *user == other.user
    }
}

impl Address {
    /// `None` for what git does not take for a URL: it fits nothing then.
    pub(super) fn parse(written: &str) -> Option<Address> {
        let (scheme, rest) = written.split_once("://")?;
        let scheme = scheme.to_ascii_lowercase();
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at(at));
        let (user, host) = match authority.rsplit_once('@') {
            Some((user, host)) => (user.split(':').next().map(str::to_owned), host),
            None => (None, authority),
        };
        let usual = if scheme == "https" { 443 } else { 80 };
        let (host, port) = match host.rsplit_once(':') {
            Some((host, "")) => (host, usual),
            Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
            _ => (host, usual),
        };
        let path = path.split(['?', '#']).next().unwrap_or_default().trim_end_matches('/').to_owned();
        Some(Address { written: written.to_owned(), scheme, user, host: host.to_ascii_lowercase(), port, path })
    }

    /// Whether a section for this URL counts for that one.
    pub(super) fn fits(&self, target: &Address) -> bool {
        // Asked of each pair of a section and a line: what tells most of them apart comes first, and nothing is copied.
        if self.port != target.port || self.scheme != target.scheme {
            return false;
        }
        let mut its = target.host.split('.');
        let mut own = self.host.split('.');
        let hosts = own.all(|own| its.next().is_some_and(|its| own == "*" || own == its)) && its.next().is_none();
        let rest = target.path.strip_prefix(self.path.as_str());
        let paths = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
        let users = self.user.is_none() || self.user == target.user;
        hosts && paths && users
    }

    /// The higher the better it fits: host, then path, then user.
    pub(super) fn weight(&self) -> (usize, usize, bool) {
        let exact = self.host.split('.').filter(|label| *label != "*").map(|label| label.len() + 1).sum();
        (exact, self.path.len(), self.user.is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_fits_by_scheme_port_labels_and_whole_parts_of_the_path() {
        let target = Address::parse("https://a.good.test/x/y").unwrap();
        for (pattern, fits) in [
            ("https://a.good.test", true),
            ("HTTPS://A.Good.Test:443/x/", true),
            ("https://*.good.test/x", true),
            ("https://*.test", false),
            ("https://a.good.test/x/yz", false),
            ("https://a.good.test/x/y/z", false),
            ("http://a.good.test", false),
            ("https://a.good.test:8443", false),
            ("https://eve@a.good.test", false),
        ] {
            assert_eq!(Address::parse(pattern).unwrap().fits(&target), fits, "{pattern}");
        }
        assert!(Address::parse("good.test").is_none());
        let weight = |url| Address::parse(url).unwrap().weight();
        assert!(weight("https://a.good.test") > weight("https://*.good.test/x/y"));
        assert!(weight("https://a.good.test/x") > weight("https://eve@a.good.test"));
    }
}
