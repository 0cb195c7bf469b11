//! What this machine's `openssl` shows of itself: its version, and the hellos that it really sends.

use std::process::Stdio;
use std::time::Duration;

use tlswhy_model::{Bytes, LocalOpenssl};
use tokio::io::AsyncReadExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::process::Command;
use tokio::time::timeout;

/// How long all of it may take.
const LIMIT: Duration = Duration::from_secs(1);
/// The longest hello that is read, in bytes.
const LONGEST_HELLO: usize = 64 * 1024;
/// The most that is kept of the version text, in bytes.
const LONGEST_TEXT: usize = 16 * 1024;

/// What a hello is asked to offer of which each security level forbids more.
const WEAK_GROUPS: &str = "secp192r1:secp224r1:P-256:P-384:P-521";
const WEAK_SCHEMES: &str = "RSA+SHA1:RSA+SHA224:RSA+SHA256:RSA+SHA384:RSA+SHA512";

/// Observes the `openssl` of the search path: what it says of its version and, from its own `s_client` against a listener of
/// ours on the loopback interface, the hellos that the system's policy makes it send. `None` if there is no `openssl`.
///
/// Takes some tens of milliseconds, at most a second. No connection leaves this machine.
pub async fn observe_local_openssl() -> Option<LocalOpenssl> {
    let weak = ["-groups", WEAK_GROUPS, "-sigalgs", WEAK_SCHEMES];
    let all = async { tokio::join!(version_text(), hello(&[]), hello(&weak)) };
    let (version_text, hello, level_hello) = timeout(LIMIT, all).await.ok()?;
    Some(LocalOpenssl { version_text: version_text?, hello: hello?, level_hello })
}

async fn version_text() -> Option<String> {
    let output = openssl(&["version", "-a"]).stdout(Stdio::piped()).output().await.ok()?;
    let text = output.stdout.get(..LONGEST_TEXT).unwrap_or(&output.stdout);
    output.status.success().then(|| String::from_utf8_lossy(text).into_owned())
}

/// The records of the hello that `s_client` sends with these options; `None` if it sends none.
async fn hello(options: &[&str]) -> Option<Bytes> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).await.ok()?;
    let address = listener.local_addr().ok()?.to_string();
    let arguments = ["s_client", "-connect", &address, "-servername", "tlswhy.invalid"];
    let mut child = openssl(&arguments).args(options).stdout(Stdio::null()).spawn().ok()?;
    let hello = async {
        let (mut stream, _) = listener.accept().await.ok()?;
        read_hello(&mut stream).await
    };
    let hello = tokio::select! {
        hello = hello => hello,
        // An option that it does not know: it ends without a connection.
        _ = child.wait() => None,
    };
    child.start_kill().ok();
    hello
}

fn openssl(arguments: &[&str]) -> Command {
    let mut command = Command::new("openssl");
    command.args(arguments).stdin(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
    // Its trust store has no part in the hello, and reading it takes longer than all the rest.
    command.env("SSL_CERT_FILE", "/dev/null").env("SSL_CERT_DIR", "/dev/null");
    command
}

/// Reads records until the first handshake message is whole.
async fn read_hello(stream: &mut TcpStream) -> Option<Bytes> {
    let (mut records, mut message) = (Vec::new(), Vec::new());
    while records.len() < LONGEST_HELLO {
        let mut header = [0; 5];
        stream.read_exact(&mut header).await.ok()?;
        let [22, 3, _, high, low] = header else {
            return None;
        };
        let mut body = vec![0; usize::from(u16::from_be_bytes([high, low]))];
        stream.read_exact(&mut body).await.ok()?;
        records.extend(header);
        records.extend(&body);
        message.extend(body);
        if let Some(&[_, a, b, c]) = message.first_chunk::<4>()
            && message.len() >= 4 + (usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
        {
            return Some(Bytes(records));
        }
    }
    None
}
