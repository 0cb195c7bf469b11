//! Products that end TLS on the way: how their issuers are called, and what they say in the server's place.

use std::sync::LazyLock;

use serde::Deserialize;

#[derive(Deserialize)]
struct File {
    issuer: Vec<Issuer>,
    page: Vec<Page>,
}

/// One product's issuer; the file also has its `source`.
#[derive(Deserialize)]
struct Issuer {
    product: String,
    /// In lower case.
    text: String,
}

/// One product's answer in the server's place; the file also has its `source`.
#[derive(Deserialize)]
struct Page {
    product: String,
    mark: String,
    from: String,
    to: String,
}

static FILE: LazyLock<File> =
    LazyLock::new(|| toml::from_str(include_str!("inspectors.toml")).unwrap_or(File { issuer: Vec::new(), page: Vec::new() }));

/// What a device says, in the server's place, of its own connection to the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The product.
    pub product: &'static str,
    /// The first line of its answer.
    pub status: String,
    /// Its reason, where it gives one.
    pub reason: Option<String>,
}

/// The product whose issuer has this name.
pub fn product(issuer: &str) -> Option<&'static str> {
    let issuer = issuer.to_lowercase();
    FILE.issuer.iter().find(|row| issuer.contains(&row.text)).map(|row| row.product.as_str())
}

/// What this HTTP answer says of a connection that the device could not make.
pub fn answer(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let status = text.lines().next().filter(|line| line.starts_with("HTTP/1."))?;
    let code: u16 = status.split(' ').nth(1)?.parse().ok()?;
    let row = FILE.page.iter().find(|row| code >= 500 && text.contains(&row.mark))?;
    let reason = text.split_once(&row.from).and_then(|(_, rest)| Some(rest.split_once(&row.to)?.0.trim()));
    let reason = reason.filter(|reason| !reason.is_empty()).map(|reason| tlswhy_model::printable(reason, 200));
    Some(Answer { product: &row.product, status: tlswhy_model::printable(status, 80), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_issuer_names_the_product() {
        assert_eq!(product("O=Zscaler Inc., CN=Zscaler Intermediate Root CA (zscalerthree.net)"), Some("Zscaler"));
        assert_eq!(product("CN=mitmproxy, O=mitmproxy"), Some("mitmproxy"));
        assert_eq!(product("CN=R11, O=Let's Encrypt"), None);
    }

    #[test]
    fn the_reason_of_a_device_is_read_from_its_answer() {
        let squid = b"HTTP/1.1 503 Service Unavailable\r\nX-Squid-Error: ERR_SECURE_CONNECT_FAIL 0\r\n\r\n<pre>[No Error] (TLS code: X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT+broken_cert)</pre>";
        let found = answer(squid).unwrap();
        assert_eq!((found.product, found.status.as_str()), ("Squid", "HTTP/1.1 503 Service Unavailable"));
        assert_eq!(found.reason.as_deref(), Some("X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT+broken_cert"));
        let mitmproxy = b"HTTP/1.1 502 Bad Gateway\r\nServer: mitmproxy 11.0.2\r\n\r\n<p>Certificate verify failed: self-signed certificate</p>";
        let found = answer(mitmproxy).unwrap();
        assert_eq!(found.reason.as_deref(), Some("Certificate verify failed: self-signed certificate"));
        assert_eq!(answer(b"HTTP/1.1 200 OK\r\nServer: mitmproxy 11.0.2\r\n\r\n<p>hello</p>"), None);
        assert_eq!(answer(b"HTTP/1.1 503 Service Unavailable\r\nServer: nginx\r\n\r\n"), None);
        assert_eq!(answer(b""), None);
    }
}
