//! Secrets in files become as many `*`, before anything else sees them; offsets and line ends stay.

use crate::certificates::{Form, Item, form, items};

/// Words in the names of settings whose values are secrets.
const WORDS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "keystorepass",
    "truststorepass",
    "secret",
    "token",
    "auth_pass",
    "api_key",
    "apikey",
    "authorization",
    "proxy-user",
    "stats auth",
    "bindpw",
    "requirepass",
    "masterauth",
];
/// Settings that have such a word in their name and a path or a kind for a value.
const HARMLESS: &[&str] = &["file", "path", "dialog", "tokens", "expired", "type", "algorithm", "encryption"];
/// The first letters of lines that are whole secrets in a few languages (curl's `user = name:password`).
const BEGINNINGS: &[&str] = &["user = ", "user=", "user: ", "-u "];

/// What was in a file of secrets: the SHA-256 of the public half of each private key, empty where it cannot be had.
pub(crate) struct Secrets {
    /// Public halves, SubjectPublicKeyInfo in DER; `None` where it cannot be had.
    pub(crate) public_halves: Vec<Option<Vec<u8>>>,
}

/// Masks what must not be kept.
pub(crate) fn mask(bytes: &mut [u8]) -> Secrets {
    let mut public_halves = Vec::new();
    let kind = form(bytes);
    let binary = matches!(kind, Form::Key | Form::Pkcs12 | Form::JavaKeyStore);
    let keys_inside = binary || bytes.windows(11).any(|window| window == b"PRIVATE KEY");
    if keys_inside && let Ok((items, _)) = items(bytes) {
        public_halves = items
            .into_iter()
            .filter_map(|item| match item {
                Item::Key(key) => Some(Some(key.public_half().to_vec())),
                Item::EncryptedKey | Item::OtherKey => Some(None),
                Item::Certificate(_) | Item::PublicKey(_) => None,
            })
            .collect();
    }
    if binary {
        bytes.fill(b'*');
        return Secrets { public_halves };
    }
    if matches!(kind, Form::Text) {
        private_keys(bytes);
        for line in bytes.split_mut(|byte| *byte == b'\n') {
            passwords(line);
        }
    }
    Secrets { public_halves }
}

/// What stands between the lines of a private key.
fn private_keys(bytes: &mut [u8]) {
    let mut inside = false;
    for line in bytes.split_mut(|byte| *byte == b'\n') {
        let trimmed = line.trim_ascii();
        // It may stand within a directive (nginx: `ssl_certificate_key "data:-----BEGIN PRIVATE KEY-----`).
        if contains(trimmed, b"-----BEGIN ") && trimmed.ends_with(b"PRIVATE KEY-----") {
            inside = true;
        } else if trimmed.starts_with(b"-----END ") || trimmed.starts_with(b"-----BEGIN ") {
            inside = false;
        } else if inside {
            stars(line);
        }
    }
}

fn contains(line: &[u8], part: &[u8]) -> bool {
    line.windows(part.len()).any(|window| window == part)
}

/// The values of settings whose names say that they are secret, and the passwords of URLs.
fn passwords(line: &mut [u8]) {
    if line.len() > 64 * 1024 {
        return;
    }
    let lower = line.to_ascii_lowercase();
    let find = |from: usize, word: &[u8]| {
        let rest = lower.get(from..)?;
        rest.windows(word.len()).position(|window| window == word).map(|at| from + at)
    };
    let start = line.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    for word in BEGINNINGS {
        if lower.get(start..).is_some_and(|rest| rest.starts_with(word.as_bytes())) && lower.contains(&b':') {
            stars(line.get_mut(start + word.len()..).unwrap_or_default());
        }
    }
    for word in WORDS {
        let mut at = 0;
        while let Some(found) = find(at, word.as_bytes()) {
            at = found + word.len();
            // The rest of the name.
            let name = lower.get(at..).unwrap_or_default();
            let tail = name.iter().take_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-')).count();
            let tail_text = String::from_utf8_lossy(name.get(..tail).unwrap_or_default()).into_owned();
            // `server_tokens` and the like speak of many.
            if tail_text == "s"
                || HARMLESS.iter().any(|harmless| tail_text.trim_start_matches(['_', '-']).starts_with(harmless))
            {
                continue;
            }
            value(line, at + tail);
        }
    }
    let mut at = 0;
    while let Some(scheme) = find(at, b"://") {
        at = scheme + 3;
        let rest = lower.get(at..).unwrap_or_default();
        let end = rest.iter().position(|byte| matches!(byte, b'/' | b' ' | b'"' | b'\'' | b';')).unwrap_or(rest.len());
        let authority = rest.get(..end).unwrap_or_default();
        if let (Some(sign), Some(colon)) =
            (authority.iter().rposition(|byte| *byte == b'@'), authority.iter().position(|byte| *byte == b':'))
            && colon < sign
        {
            stars(line.get_mut(at + colon + 1..at + sign).unwrap_or_default());
        }
    }
}

/// The value that begins somewhere behind a name: up to its closing quote, else to the end of the line.
fn value(line: &mut [u8], from: usize) {
    let rest = line.get(from..).unwrap_or_default();
    // `"password": "secret"`: the quote right behind the name closes it.
    let from = match rest {
        [b'"', b':' | b' ', ..] => from + 1,
        _ => from,
    };
    let rest = line.get(from..).unwrap_or_default();
    let between = rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'=' | b':' | b'>')).count();
    if between == 0 && !matches!(rest.first(), Some(b'"' | b'\'')) {
        return;
    }
    let begins = from + between;
    let value = line.get_mut(begins..).unwrap_or_default();
    match value.first().copied() {
        Some(quote @ (b'"' | b'\'')) => {
            let inside = value.get_mut(1..).unwrap_or_default();
            let end = inside.iter().position(|byte| *byte == quote).unwrap_or(inside.len());
            stars(inside.get_mut(..end).unwrap_or_default());
        }
        _ => {
            let end = value.iter().position(|byte| matches!(byte, b';' | b'#' | b'}' | b'<')).unwrap_or(value.len());
            stars(value.get_mut(..end).unwrap_or_default());
        }
    }
}

fn stars(bytes: &mut [u8]) {
    bytes.iter_mut().filter(|byte| !byte.is_ascii_whitespace()).for_each(|byte| *byte = b'*');
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(text: &str) -> String {
        let mut bytes = text.as_bytes().to_vec();
        mask(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn secrets_of_products_are_masked_and_nothing_else() {
        for (text, expected) in [
            ("proxy_set_header Authorization \"Basic eA==\";\n", "proxy_set_header Authorization \"***** ****\";\n"),
            ("  user admin insecure-password hunter2\n", "  user admin insecure-password *******\n"),
            ("password = 'geheim'   # root\n", "password = '******'   # root\n"),
            (
                "<Certificate certificateKeystorePassword=\"changeit\" type=\"RSA\"/>",
                "<Certificate certificateKeystorePassword=\"********\" type=\"RSA\"/>",
            ),
            ("ssl_password_file /etc/keys/pass;\n", "ssl_password_file /etc/keys/pass;\n"),
            ("SSLPassPhraseDialog exec:/bin/x\n", "SSLPassPhraseDialog exec:/bin/x\n"),
            ("proxy = http://joe:s3cret@proxy.test:3128/\n", "proxy = http://joe:******@proxy.test:3128/\n"),
            ("user = joe:s3cret\n", "user = **********\n"),
            ("user www-data;\n", "user www-data;\n"),
            ("password_encryption = scram-sha-256\n", "password_encryption = scram-sha-256\n"),
            ("ssl_session_tickets off; ssl_protocols TLSv1.2;\n", "ssl_session_tickets off; ssl_protocols TLSv1.2;\n"),
            ("server_tokens off;\n", "server_tokens off;\n"),
            ("\"password\": \"x y\",\n", "\"password\": \"* *\",\n"),
        ] {
            assert_eq!(masked(text), expected);
        }
    }

    #[test]
    fn private_keys_are_masked_and_certificates_stay() {
        let text = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n-----BEGIN RSA PRIVATE KEY-----\r\nBBBB\r\n-----END RSA PRIVATE KEY-----\n";
        assert_eq!(masked(text), text.replace("BBBB", "****"));
        let text = "ssl_certificate_key \"data:-----BEGIN PRIVATE KEY-----\nBBBB\n-----END PRIVATE KEY-----\n\";\nlisten 1;\n";
        assert_eq!(masked(text), text.replace("BBBB", "****"));
    }
}
