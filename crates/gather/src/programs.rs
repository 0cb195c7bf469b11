//! Versions that programs say of themselves, and of the libraries that they run with: only where the user allows that they
//! are run.

use std::process::Stdio;
use std::time::Duration;

use tlswhy_model::{InstalledSoftware, LinkedLibrary};
use tokio::io::AsyncReadExt as _;
use tokio::process::Command;
use tokio::time::timeout;

/// How long a program may take.
const LIMIT: Duration = Duration::from_secs(5);
/// The most that is read of what it says, in bytes.
const LARGEST: u64 = 64 * 1024;

/// How a product says its version.
struct Asking {
    product: &'static str,
    /// Its program, the first of these that is there.
    programs: &'static [&'static str],
    arguments: &'static [&'static str],
    /// What stands before the version; empty where it comes first.
    version: &'static str,
    /// What stands before the version of OpenSSL that it runs with.
    openssl: Option<&'static str>,
}

const fn asking(
    product: &'static str,
    programs: &'static [&'static str],
    arguments: &'static [&'static str],
    version: &'static str,
    openssl: Option<&'static str>,
) -> Asking {
    Asking { product, programs, arguments, version, openssl }
}

/// Read off what the programs of Debian 12 print; none of these commands changes anything or opens a connection.
const ASKING: &[Asking] = &[
    asking("apache", &["apache2", "httpd"], &["-v"], "Apache/", None),
    asking("caddy", &["caddy"], &["version"], "", None),
    asking("curl", &["curl"], &["--version"], "curl ", Some("OpenSSL/")),
    asking("dovecot", &["dovecot"], &["--version"], "", None),
    asking("git", &["git"], &["--version"], "git version ", None),
    asking("gnutls", &["gnutls-cli"], &["--version"], "gnutls-cli ", None),
    asking("go", &["go"], &["version"], "go version go", None),
    asking("haproxy", &["haproxy"], &["-vv"], "HAProxy version ", Some("Running on OpenSSL version : OpenSSL ")),
    asking("java", &["java"], &["-version"], "version \"", None),
    asking("libpq", &["psql"], &["--version"], "(PostgreSQL) ", None),
    asking("lighttpd", &["lighttpd"], &["-v"], "lighttpd/", None),
    asking("mariadb", &["mariadbd"], &["--version"], "Ver ", None),
    asking("mysql", &["mysqld"], &["--version"], "Ver ", None),
    asking("nginx", &["nginx"], &["-V"], "nginx version: nginx/", Some("running with OpenSSL ")),
    // Where the library is the one that it was built with, nginx says no more than that.
    asking("nginx", &["nginx"], &["-V"], "nginx version: nginx/", Some("built with OpenSSL ")),
    asking("node", &["node"], &["--version"], "v", None),
    asking("openssl", &["openssl"], &["version"], "OpenSSL ", None),
    asking("postfix", &["postconf"], &["-h", "mail_version"], "", None),
    asking("postgresql", &["postgres"], &["--version"], "(PostgreSQL) ", None),
    asking("python", &["python3"], &["--version"], "Python ", None),
    asking("stunnel", &["stunnel", "stunnel4"], &["-version"], "stunnel ", Some("unning  with OpenSSL ")),
    asking("stunnel", &["stunnel", "stunnel4"], &["-version"], "stunnel ", Some("/running with OpenSSL ")),
    asking("wget", &["wget"], &["--version"], "GNU Wget ", None),
];

/// What a product says of itself; `None` where its program is not here or says nothing.
pub(crate) async fn ask(product: &str) -> Option<InstalledSoftware> {
    let rows: Vec<&Asking> = ASKING.iter().filter(|row| row.product == product).collect();
    let first = rows.first()?;
    for program in first.programs {
        let Some(text) = said(program, first.arguments).await else { continue };
        let version = after(&text, first.version)?;
        let openssl = rows.iter().filter_map(|row| row.openssl).find_map(|mark| after(&text, mark));
        let library = |version: String| LinkedLibrary { name: "openssl".to_owned(), version };
        return Some(InstalledSoftware {
            product: product.to_owned(),
            version: Some(version),
            source: format!("{program} {}", first.arguments.join(" ")),
            libraries: openssl.into_iter().map(library).collect(),
        });
    }
    None
}

/// The version behind a mark: what begins with a digit, up to a blank, a quote or a bracket.
fn after(text: &str, mark: &str) -> Option<String> {
    let (_, rest) = text.split_once(mark)?;
    let end = rest.find(|c: char| c.is_whitespace() || "\"'(),;".contains(c)).unwrap_or(rest.len());
    let version = rest.get(..end)?;
    version.starts_with(|c: char| c.is_ascii_digit()).then(|| version.to_owned())
}

/// What a program prints on both streams; also looked for where administrators' programs lie.
async fn said(program: &str, arguments: &[&str]) -> Option<String> {
    let path = ["/usr/sbin", "/usr/local/sbin", "/sbin"].map(|place| format!("{place}/{program}"));
    for program in std::iter::once(program).chain(path.iter().map(String::as_str)) {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let Ok(mut child) = command.spawn() else { continue };
        let (mut said, mut complained) = (Vec::new(), Vec::new());
        let (out, err) = (child.stdout.take()?, child.stderr.take()?);
        let read = async {
            let (mut out, mut err) = (out.take(LARGEST), err.take(LARGEST));
            let _ended = tokio::join!(out.read_to_end(&mut said), err.read_to_end(&mut complained));
        };
        // What takes longer is killed with the command; what it had said by then may do.
        let _late = timeout(LIMIT, read).await;
        said.push(b'\n');
        said.extend(complained);
        return Some(String::from_utf8_lossy(&said).into_owned());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_read_behind_their_marks() {
        let nginx =
            "nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.22 25 Aug 2026 (running with OpenSSL 3.0.19 27 Jan 2026)\n";
        assert_eq!(after(nginx, "nginx version: nginx/").as_deref(), Some("1.22.1"));
        assert_eq!(after(nginx, "running with OpenSSL ").as_deref(), Some("3.0.19"));
        assert_eq!(after("openjdk version \"17.0.15\" 2025", "version \"").as_deref(), Some("17.0.15"));
        assert_eq!(after("3.7.11\n", "").as_deref(), Some("3.7.11"));
        assert_eq!(after("bash: not found", ""), None);
    }
}
