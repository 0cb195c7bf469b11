//! How servers say, in plain text, that they want TLS: to a request that is not.

/// One server's words.
pub struct Words {
    /// In the answer.
    pub text: &'static str,
    /// Where this was seen.
    pub source: &'static str,
}

/// All that are known.
pub static WORDS: &[Words] = &[
    Words {
        text: "The plain HTTP request was sent to HTTPS port",
        source: "https://nginx.org/en/docs/http/ngx_http_ssl_module.html (code 497); nginx 1.22.1",
    },
    Words {
        text: "speaking plain HTTP to an SSL-enabled server port",
        source: "Apache httpd 2.4, modules/ssl/ssl_engine_kernel.c (ssl_hook_ReadReq)",
    },
    Words { text: "Client sent an HTTP request to an HTTPS server", source: "Go, net/http/server.go (conn.serve)" },
];

/// Whether an answer in plain text says that TLS is wanted.
pub fn says_so(answer: &[u8]) -> bool {
    let text = String::from_utf8_lossy(answer);
    WORDS.iter().any(|words| text.contains(words.text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_of_nginx_says_that_tls_is_wanted() {
        assert!(says_so(b"HTTP/1.1 400 Bad Request\r\n\r\n<title>400 The plain HTTP request was sent to HTTPS port</title>"));
        assert!(!says_so(b"HTTP/1.1 400 Bad Request\r\n\r\n"));
        assert!(WORDS.iter().all(|words| !words.source.is_empty()));
    }
}
