//! TLS inspection at a router: Squid with `ssl_bump`, which takes the connections to port 443 that come through.

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use super::namespaces::Namespace;
use crate::server::{StartError, find_program, shell};

/// How the device is set up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspector {
    /// At this router.
    pub router: usize,
    /// It takes whatever certificate the server has; otherwise it refuses one of an authority that it does not know.
    pub trusts_the_server: bool,
    /// Options of Squid's for the TLS that it speaks to clients, such as `options=NO_TLSv1_3`.
    pub towards_clients: &'static str,
    /// Passes every connection through, unread.
    pub exempts: bool,
}

/// Takes every connection, and reaches every server.
pub const INSPECTS: Inspector = Inspector { router: 2, trusts_the_server: true, towards_clients: "", exempts: false };

/// Where Squid listens.
const PORT: u16 = 3130;

impl Inspector {
    /// Starts it; its authority's certificate is `inspector.pem` in `dir`.
    pub(super) fn start(&self, node: &Namespace, dir: &Path) -> Result<Child, StartError> {
        let squid = find_program("squid").ok_or_else(|| StartError::Missing("squid".into()))?;
        let generator = Path::new("/usr/lib/squid/security_file_certgen");
        if !generator.exists() {
            return Err(StartError::Missing("squid with OpenSSL (squid-openssl)".into()));
        }
        let place = dir.display();
        shell(&format!(
            "cd '{place}' && openssl req -x509 -newkey rsa:2048 -nodes -keyout inspector.key -out inspector.pem -days 30 \
             -subj '/O=Lab Inspection/CN=Lab Inspection CA' -addext keyUsage=critical,keyCertSign,cRLSign 2>/dev/null \
             && cat inspector.key inspector.pem > inspector.both \
             && '{}' -c -s '{place}/made' -M 4MB >/dev/null && mkdir squid && chmod -R a+rwX '{place}'",
            generator.display()
        ))?;
        let outgoing = if self.trusts_the_server { "tls_outgoing_options flags=DONT_VERIFY_PEER" } else { "" };
        let bump = if self.exempts { "ssl_bump splice all" } else { "ssl_bump peek step1\nssl_bump bump all" };
        let configuration = format!(
            "http_port 3128\n\
             https_port {PORT} intercept ssl-bump generate-host-certificates=on dynamic_cert_mem_cache_size=4MB tls-cert={place}/inspector.both {}\n\
             sslcrtd_program {} -s {place}/made -M 4MB\n\
             sslcrtd_children 2 startup=1 idle=1\n\
             acl step1 at_step SslBump1\n{bump}\n{outgoing}\n\
             http_access allow all\ncache deny all\nhost_verify_strict off\npinger_enable off\n\
             pid_filename {place}/squid/pid\ncache_log {place}/squid/log\naccess_log none\ncoredump_dir {place}/squid\n",
            self.towards_clients,
            generator.display()
        );
        fs::write(dir.join("squid.conf"), configuration).map_err(StartError::of)?;
        let squid = squid.to_str().ok_or_else(|| StartError::Failed("a path that is no text".into()))?;
        let child = node
            .command(squid)
            .args(["-N", "-f", &format!("{place}/squid.conf")])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .map_err(StartError::of)?;
        node.shell(&format!(
            "nft 'add table ip inspector; add chain ip inspector in {{ type nat hook prerouting priority -100; }}; \
             add rule ip inspector in iif left tcp dport 443 redirect to :{PORT}'"
        ))?;
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(20) {
            if node.shell(&format!("ss -Hltn 'sport = :{PORT}' | grep -q .")).is_ok() {
                return Ok(child);
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let log = fs::read_to_string(dir.join("squid/log")).unwrap_or_default();
        Err(StartError::Failed(format!("squid does not listen: {log}")))
    }
}
