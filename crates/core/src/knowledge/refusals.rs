//! How servers say "no client certificate" after a complete handshake: in the words of their application.

/// One server's words.
pub struct Refusal {
    /// Whose words they are.
    pub product: &'static str,
    /// HTTP status that comes with them.
    pub status: u16,
    /// Text in the body.
    pub text: &'static str,
    /// Where this was seen.
    pub source: &'static str,
}

/// All that are known.
pub static REFUSALS: &[Refusal] = &[
    Refusal {
        product: "nginx",
        status: 400,
        text: "No required SSL certificate was sent",
        source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html#ssl_verify_client (code 496, answered as 400)",
    },
    Refusal {
        product: "nginx",
        status: 400,
        text: "The SSL certificate error",
        source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html (code 495, answered as 400)",
    },
    Refusal {
        product: "IIS",
        status: 403,
        text: "403.7",
        source: "https://learn.microsoft.com/troubleshoot/developer/webapps/iis/health-diagnostic-performance/http-status-code",
    },
];

/// The refusal that this HTTP answer is.
pub fn find(answer: &[u8]) -> Option<&'static Refusal> {
    let text = String::from_utf8_lossy(answer);
    let mut words = text.lines().next()?.split(' ');
    let protocol = words.next()?;
    let status: u16 = words.next()?.parse().ok()?;
    if !protocol.starts_with("HTTP/1.") {
        return None;
    }
    REFUSALS.iter().find(|refusal| refusal.status == status && text.contains(refusal.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_words_about_the_certificate_count() {
        let nginx = b"HTTP/1.1 400 Bad Request\r\n\r\n<center>No required SSL certificate was sent</center>";
        assert_eq!(find(nginx).map(|refusal| refusal.product), Some("nginx"));
        assert!(find(b"HTTP/1.1 400 Bad Request\r\n\r\nInvalid header").is_none());
        assert!(find(b"HTTP/1.1 200 OK\r\n\r\nNo required SSL certificate was sent").is_none());
        assert!(find(b"").is_none());
    }
}
