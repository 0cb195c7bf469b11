//! Large configurations, read by whole processes: `tlswhy config` beside the programs' own validation and, for nginx, crossplane.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::runner;
use crate::server::{StartError, find_program, shell};

/// Virtual hosts.
const HOSTS: usize = 2_000;
/// Runs of each command; the best counts.
const RUNS: usize = 5;

/// One command and what it took.
pub struct Row {
    /// The command.
    pub name: String,
    /// Best wall-clock time in seconds.
    pub time: f64,
    /// Best processor time in seconds, which a busy machine disturbs less.
    pub processor: f64,
    /// Peak resident memory in KiB.
    pub memory_kib: u64,
    /// Its exit status, so that a failure is no quick success.
    pub status: Option<i32>,
}

/// Measures everything that is installed.
///
/// # Errors
/// Where `tlswhy`, openssl or GNU time is missing.
pub fn run() -> Result<Vec<Row>, StartError> {
    if find_program("time").is_none() {
        return Err(StartError::Missing("GNU time".to_owned()));
    }
    let tlswhy = runner::find_binary()?.display().to_string();
    let folder = tempfile::tempdir().map_err(StartError::of)?;
    let dir = folder.path();
    shell(&format!(
        "openssl req -x509 -newkey rsa:2048 -nodes -keyout {0}/site.key -out {0}/site.pem -days 30 -subj /CN=example.test \
         -addext subjectAltName=DNS:example.test,DNS:*.example.test",
        dir.display()
    ))?;
    write_nginx(dir).and_then(|()| write_apache(dir)).map_err(StartError::of)?;
    let assumed = "--assume nginx=1.22.1 --assume apache=2.4.67 --assume openssl=3.0.19";
    let commands = [
        ("tlswhy config, nginx in 10,001 files", format!("{tlswhy} config {{dir}}/nginx.conf --ca {{dir}}/site.pem {assumed}")),
        ("nginx -t", "nginx -t -c {dir}/nginx.conf -e {dir}/error.log".to_owned()),
        ("crossplane parse", "crossplane parse {dir}/nginx.conf --out /dev/null".to_owned()),
        ("tlswhy config, Apache in one file", format!("{tlswhy} config {{dir}}/httpd.conf --ca {{dir}}/site.pem {assumed}")),
        ("apache2 -t", "apache2 -t -f {dir}/httpd.conf".to_owned()),
    ];
    let mut rows = Vec::new();
    for (name, command) in commands {
        let command = command.replace("{dir}", &dir.display().to_string());
        let words: Vec<String> = command.split(' ').map(str::to_owned).collect();
        let Some((program, arguments)) = words.split_first() else { continue };
        if !program.contains('/') && find_program(program).is_none() {
            continue;
        }
        rows.push(measure(name, program, arguments)?);
    }
    Ok(rows)
}

/// Runs a command several times.
pub(crate) fn measure(name: &str, program: &str, arguments: &[String]) -> Result<Row, StartError> {
    let mut row = Row { name: name.to_owned(), time: f64::MAX, processor: f64::MAX, memory_kib: 0, status: None };
    for _ in 0..RUNS {
        let mut command = Command::new("time");
        command.args(["--quiet", "-f", "%e %U %S %M", program]).args(arguments);
        let output = command.stdin(Stdio::null()).stdout(Stdio::null()).output().map_err(StartError::of)?;
        row.status = output.status.code();
        // GNU time speaks last.
        let said = String::from_utf8_lossy(&output.stderr);
        let numbers: Vec<f64> =
            said.lines().last().unwrap_or_default().split(' ').filter_map(|word| word.parse().ok()).collect();
        let [elapsed, user, system, memory] = numbers.as_slice() else {
            return Err(StartError::Failed(format!("{program} says {said}")));
        };
        row.time = row.time.min(*elapsed);
        row.processor = row.processor.min(user + system);
        row.memory_kib = row.memory_kib.max(*memory as u64);
    }
    Ok(row)
}

/// Each host in a file of its own that includes four more.
fn write_nginx(dir: &Path) -> std::io::Result<()> {
    fs::create_dir_all(dir.join("sites"))?;
    let put = |name: String, text: String| fs::write(dir.join(name), text);
    put(
        "nginx.conf".to_owned(),
        format!(
            "pid {0}/nginx.pid;\nevents {{}}\nhttp {{\n    access_log off;\n    server_names_hash_max_size 65536;\n    \
             server_names_hash_bucket_size 128;\n    ssl_certificate site.pem;\n    ssl_certificate_key site.key;\n    \
             include sites/*.conf;\n}}\n",
            dir.display()
        ),
    )?;
    for host in 0..HOSTS {
        let own = format!("hosts/{host:04}");
        fs::create_dir_all(dir.join(&own))?;
        put(
            format!("sites/{host:04}.conf"),
            format!(
                "# Site {host}\nserver {{\n    listen 127.0.0.1:8443 ssl;\n    include {own}/names.conf;\n    include {own}/tls.conf;\n    \
                 include {own}/headers.conf;\n    location / {{\n        include {own}/proxy.conf;\n    }}\n}}\n"
            ),
        )?;
        put(format!("{own}/names.conf"), format!("server_name host{host}.example.test www-host{host}.example.test;\n"))?;
        put(
            format!("{own}/tls.conf"),
            "ssl_protocols TLSv1.2 TLSv1.3;\nssl_ciphers ECDHE+AESGCM:ECDHE+CHACHA20;\nssl_session_timeout 1d;\n".to_owned(),
        )?;
        put(format!("{own}/headers.conf"), format!("add_header X-Site \"{host}; on\" always;\n"))?;
        put(
            format!("{own}/proxy.conf"),
            "proxy_pass https://127.0.0.1:9443;\nproxy_ssl_protocols TLSv1.2;\nproxy_set_header Host $host;\n".to_owned(),
        )?;
    }
    Ok(())
}

/// All hosts in one file, where each line has to be found again.
fn write_apache(dir: &Path) -> std::io::Result<()> {
    const MODULES: &str = "/usr/lib/apache2/modules";
    let mut text = format!(
        "ServerRoot {0}\nDefaultRuntimeDir {0}\nPidFile {0}/httpd.pid\nErrorLog {0}/error.log\nServerName example.test\n\
         LoadModule mpm_event_module {MODULES}/mod_mpm_event.so\nLoadModule authz_core_module {MODULES}/mod_authz_core.so\n\
         LoadModule socache_shmcb_module {MODULES}/mod_socache_shmcb.so\nLoadModule ssl_module {MODULES}/mod_ssl.so\n\
         LoadModule headers_module {MODULES}/mod_headers.so\nListen 127.0.0.1:8443\n",
        dir.display()
    );
    for host in 0..HOSTS {
        text.push_str(&format!(
            "# Site {host}\n<VirtualHost *:8443>\n    ServerName host{host}.example.test\n    ServerAlias www-host{host}.example.test\n    \
             SSLEngine on\n    SSLProtocol -all +TLSv1.2 +TLSv1.3\n    SSLCipherSuite ECDHE+AESGCM:ECDHE+CHACHA20\n    \
             SSLCertificateFile {0}/site.pem\n    SSLCertificateKeyFile {0}/site.key\n    Header always set X-Site \"{host}\"\n</VirtualHost>\n",
            dir.display()
        ));
    }
    fs::write(dir.join("httpd.conf"), text)
}
