//! Starts real servers with STARTTLS on loopback, each in a folder of its own, and ends them when dropped.

use std::fs;
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// A running server.
pub(crate) struct Server {
    child: Child,
    folder: Folder,
    /// One port for each upgrade that it serves, in the order that its starter names.
    pub(crate) ports: Vec<u16>,
}

/// Why a server cannot be started here.
pub(crate) type Skip = String;

/// Programs run with this user where they refuse root: nobody.
const UNPRIVILEGED: u32 = 65534;

impl Server {
    /// Starts `command` in the foreground, in its folder (where a core dump of it ends as well), and waits until every port answers.
    fn start(mut command: Command, folder: Folder, ports: Vec<u16>) -> Server {
        let log = fs::File::create(folder.path("stdout")).unwrap();
        command.stdin(Stdio::null()).stderr(log.try_clone().unwrap()).stdout(log).process_group(0).current_dir(&folder.0);
        let mut server = Server { child: command.spawn().unwrap(), folder, ports };
        let deadline = Instant::now() + Duration::from_secs(20);
        for port in server.ports.clone() {
            while TcpStream::connect(("127.0.0.1", port)).is_err() {
                if server.child.try_wait().unwrap().is_some() || Instant::now() > deadline {
                    let said = fs::read(server.folder.path("stdout")).unwrap_or_default();
                    panic!("{command:?} does not serve port {port}: {}", String::from_utf8_lossy(&said));
                }
                std::thread::sleep(Duration::from_millis(30));
            }
        }
        server
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let group = format!("-{}", self.child.id());
        for (signal, patience) in [("-TERM", Duration::from_secs(3)), ("-KILL", Duration::from_secs(3))] {
            let _ = Command::new("kill").args([signal, "--", &group]).stderr(Stdio::null()).status();
            let deadline = Instant::now() + patience;
            while Instant::now() < deadline && matches!(self.child.try_wait(), Ok(None)) {
                std::thread::sleep(Duration::from_millis(20));
            }
        }
    }
}

/// A temporary folder with `cert.pem` and `key.pem`.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Folder, Skip> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("tlswhy-upgrade-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = Folder(std::env::temp_dir().join(name));
        fs::create_dir_all(&folder.0).unwrap();
        program("openssl")?;
        let made = Command::new("openssl")
            .args("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout key.pem -out cert.pem".split(' '))
            .current_dir(&folder.0)
            .output()
            .unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        Ok(folder)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// Writes a file in which `@` stands for this folder.
    fn write(&self, name: &str, text: &str) -> PathBuf {
        fs::write(self.path(name), text.replace('@', self.0.to_str().unwrap())).unwrap();
        self.path(name)
    }

    fn make(&self, names: &[&str]) {
        for name in names {
            fs::create_dir_all(self.path(name)).unwrap();
        }
    }

    /// Gives everything in the folder to this user, where we may.
    fn give_to(&self, user: u32) {
        fn give(path: &Path, user: u32) {
            chown(path, Some(user), Some(user)).unwrap();
            for entry in fs::read_dir(path).into_iter().flatten() {
                give(&entry.unwrap().path(), user);
            }
        }
        if root() {
            give(&self.0, user);
        }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Finds a program in PATH or where distributions hide servers.
fn program(name: &str) -> Result<PathBuf, Skip> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    folders.extend(
        ["/usr/sbin", "/usr/local/sbin", "/usr/lib/postfix/sbin", "/usr/libexec/postfix", "/usr/lib/news/bin"]
            .map(PathBuf::from),
    );
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.iter().map(|folder| folder.join(name)).find(|path| path.is_file()).ok_or_else(|| format!("{name} is not installed"))
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().map(|output| output.stdout).unwrap_or_default();
    String::from_utf8_lossy(&output).trim().to_owned()
}

fn root() -> bool {
    output("id", &["-u"]) == "0"
}

/// The number of a user, if there is one of this name.
fn user(name: &str) -> Result<u32, Skip> {
    output("id", &["-u", name]).parse().map_err(|_| format!("there is no user {name}"))
}

/// The command that runs `program`, as `user` where we are root.
fn run_as(user: u32, program: &Path) -> Command {
    if !root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args([&format!("--reuid={user}"), &format!("--regid={user}"), "--clear-groups"]).arg(program);
    command
}

fn free_ports<const N: usize>() -> [u16; N] {
    // All are held until all are drawn, so that they differ.
    let listeners = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
    listeners.map(|listener| listener.local_addr().unwrap().port())
}

/// Serves smtp.
pub(crate) fn postfix() -> Result<Server, Skip> {
    let master = program("master")?;
    let user = user("postfix")?;
    if !root() {
        return Err("Postfix starts as root only".to_owned());
    }
    let (folder, [port]) = (Folder::new()?, free_ports());
    folder.make(&["queue/pid", "queue/private", "queue/public", "data"]);
    for name in ["queue/private", "queue/public", "data"] {
        chown(folder.path(name), Some(user), None).unwrap();
    }
    folder.write(
        "main.cf",
        "compatibility_level = 3.6\nqueue_directory = @/queue\ndata_directory = @/data\nmyhostname = mail.example.test\n\
         inet_interfaces = 127.0.0.1\ninet_protocols = ipv4\nsmtpd_peername_lookup = no\nmydestination =\nalias_maps =\n\
         local_recipient_maps =\nmaillog_file = @/log\nmaillog_file_prefixes = /\n\
         smtpd_tls_security_level = may\nsmtpd_tls_cert_file = @/cert.pem\nsmtpd_tls_key_file = @/key.pem\n",
    );
    folder.write(
        "master.cf",
        &format!(
            "127.0.0.1:{port} inet n - n - - smtpd\ntlsmgr unix - - n 1000? 1 tlsmgr\nrewrite unix - - n - - trivial-rewrite\n\
             proxymap unix - - n - - proxymap\nanvil unix - - n - 1 anvil\npostlog unix-dgram n - n - 1 postlogd\n"
        ),
    );
    let mut command = Command::new(master);
    command.arg("-c").arg(&folder.0).arg("-d");
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves imap, pop3, lmtp and sieve.
pub(crate) fn dovecot() -> Result<Server, Skip> {
    let dovecot = program("dovecot")?;
    if !root() {
        return Err("Dovecot is set up here for root only".to_owned());
    }
    let modules = Path::new("/usr/lib/dovecot");
    let missing =
        ["imap-login", "pop3-login", "lmtp", "managesieve-login"].into_iter().find(|name| !modules.join(name).exists());
    if let Some(name) = missing {
        return Err(format!("Dovecot's {name} is not installed"));
    }
    let (folder, ports) = (Folder::new()?, free_ports::<4>());
    let mut text = "base_dir = @/run\nstate_dir = @/run\nlog_path = @/log\nprotocols = imap pop3 lmtp sieve\n\
         ssl = yes\nssl_cert = <@/cert.pem\nssl_key = <@/key.pem\n\
         passdb {\n driver = static\n args = nopassword=y\n}\nuserdb {\n driver = static\n args = uid=nobody gid=nogroup home=@\n}\n"
        .to_owned();
    let listeners = [("imap-login", "imap"), ("pop3-login", "pop3"), ("lmtp", "lmtp"), ("managesieve-login", "sieve")];
    for ((service, listener), port) in listeners.into_iter().zip(ports) {
        let chroot = if service == "lmtp" { "" } else { "chroot =" };
        text += &format!(
            "service {service} {{\n {chroot}\n inet_listener {listener} {{\n  address = 127.0.0.1\n  port = {port}\n }}\n"
        );
        if matches!(listener, "imap" | "pop3") {
            text += &format!(" inet_listener {listener}s {{\n  port = 0\n }}\n");
        }
        text += "}\n";
    }
    folder.make(&["run"]);
    let configuration = folder.write("dovecot.conf", &text);
    let mut command = Command::new(dovecot);
    command.arg("-F").arg("-c").arg(configuration);
    Ok(Server::start(command, folder, ports.to_vec()))
}

/// Serves ftp.
pub(crate) fn vsftpd() -> Result<Server, Skip> {
    let vsftpd = program("vsftpd")?;
    let (folder, [port]) = (Folder::new()?, free_ports());
    folder.make(&["empty"]);
    let launcher = if root() { "" } else { "run_as_launching_user=YES\n" };
    let configuration = folder.write(
        "vsftpd.conf",
        &format!(
            "{launcher}listen=YES\nlisten_address=127.0.0.1\nlisten_port={port}\nbackground=NO\nanonymous_enable=YES\n\
             secure_chroot_dir=@/empty\nssl_enable=YES\nallow_anon_ssl=YES\nrsa_cert_file=@/cert.pem\nrsa_private_key_file=@/key.pem\n"
        ),
    );
    let mut command = Command::new(vsftpd);
    command.arg(configuration);
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves postgres.
pub(crate) fn postgres() -> Result<Server, Skip> {
    let (initdb, postgres) = (program("initdb")?, program("postgres")?);
    let (folder, [port]) = (Folder::new()?, free_ports());
    fs::set_permissions(folder.path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    folder.give_to(UNPRIVILEGED);
    let made = run_as(UNPRIVILEGED, &initdb)
        .args(["--no-sync", "-A", "trust", "-E", "UTF8", "--locale=C", "-D"])
        .arg(folder.path("data"))
        .current_dir(&folder.0)
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    let mut command = run_as(UNPRIVILEGED, &postgres);
    command.arg("-D").arg(folder.path("data")).arg("-p").arg(port.to_string()).arg("-k").arg(&folder.0).current_dir(&folder.0);
    for setting in ["listen_addresses=127.0.0.1", "ssl=on", "fsync=off", "ssl_cert_file=../cert.pem", "ssl_key_file=../key.pem"]
    {
        command.args(["-c", setting]);
    }
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves mysql.
pub(crate) fn mariadb() -> Result<Server, Skip> {
    let mariadbd = program("mariadbd")?;
    let (folder, [port]) = (Folder::new()?, free_ports());
    folder.make(&["data"]);
    let mut command = Command::new(mariadbd);
    command.args([
        "--no-defaults",
        "--skip-grant-tables",
        "--innodb=OFF",
        "--default-storage-engine=MyISAM",
        "--bind-address=127.0.0.1",
    ]);
    if root() {
        command.arg("--user=root");
    }
    command.arg(format!("--port={port}"));
    for (option, name) in
        [("datadir", "data"), ("socket", "socket"), ("pid-file", "pid"), ("ssl-cert", "cert.pem"), ("ssl-key", "key.pem")]
    {
        command.arg(format!("--{option}={}", folder.path(name).display()));
    }
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves ldap.
pub(crate) fn slapd() -> Result<Server, Skip> {
    let slapd = program("slapd")?;
    let (folder, [port]) = (Folder::new()?, free_ports());
    let configuration =
        folder.write("slapd.conf", "pidfile @/pid\nTLSCertificateFile @/cert.pem\nTLSCertificateKeyFile @/key.pem\n");
    let mut command = Command::new(slapd);
    command.arg("-f").arg(configuration).args(["-h", &format!("ldap://127.0.0.1:{port}"), "-d", "0"]);
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves xmpp and xmpp-server, for the name localhost.
pub(crate) fn prosody() -> Result<Server, Skip> {
    let prosody = program("prosody")?;
    let (folder, [client, server]) = (Folder::new()?, free_ports());
    folder.make(&["data"]);
    let configuration = folder.write(
        "prosody.cfg.lua",
        &format!(
            "run_as_root = true\npidfile = '@/pid'\ndata_path = '@/data'\nlog = {{ info = '@/log' }}\ninterfaces = {{ '127.0.0.1' }}\n\
             c2s_ports = {{ {client} }}\nc2s_direct_tls_ports = {{ }}\ns2s_ports = {{ {server} }}\ns2s_direct_tls_ports = {{ }}\n\
             modules_enabled = {{ 'tls', 'saslauth', 'dialback' }}\n\
             ssl = {{ certificate = '@/cert.pem', key = '@/key.pem' }}\nVirtualHost 'localhost'\n"
        ),
    );
    let mut command = Command::new(prosody);
    command.arg("-F").arg("--config").arg(configuration);
    Ok(Server::start(command, folder, vec![client, server]))
}

/// Serves nntp.
pub(crate) fn nnrpd() -> Result<Server, Skip> {
    let (nnrpd, overview) = (program("nnrpd")?, program("tdx-util")?);
    let news = user("news")?;
    let (folder, [port]) = (Folder::new()?, free_ports());
    let configuration = folder.write(
        "inn.conf",
        "mta: /bin/true\npathhost: news.example.test\ndomain: example.test\npathnews: /usr/lib/news\npathdb: @\npathetc: @\n\
         pathrun: @\npathlog: @\npathspool: @\novmethod: tradindexed\nhismethod: hisv6\nenableoverview: true\n\
         tlscertfile: @/cert.pem\ntlskeyfile: @/key.pem\n",
    );
    folder.write("storage.conf", "method tradspool {\n newsgroups: *\n class: 0\n}\n");
    let readers = folder.write(
        "readers.conf",
        "auth all { hosts: \"*\" default: \"<all>\" }\naccess all { users: \"*\" newsgroups: \"*\" access: RPA }\n",
    );
    for name in ["active", "newsgroups", "tradspool.map"] {
        folder.write(name, "");
    }
    folder.make(&["overview"]);
    fs::set_permissions(folder.path("key.pem"), fs::Permissions::from_mode(0o600)).unwrap();
    folder.give_to(news);
    // Makes the empty index of groups, without which the server is "unavailable".
    run_as(news, &overview).arg("-F").env("INNCONF", &configuration).output().unwrap();
    let mut command = run_as(news, &nnrpd);
    command.args(["-D", "-f", "-p", &port.to_string(), "-c"]).arg(readers).env("INNCONF", configuration);
    Ok(Server::start(command, folder, vec![port]))
}

/// Serves irc.
pub(crate) fn inspircd() -> Result<Server, Skip> {
    let inspircd = program("inspircd")?;
    let (folder, [port]) = (Folder::new()?, free_ports());
    folder.make(&["data"]);
    let configuration = folder.write(
        "inspircd.conf",
        &format!(
            "<server name=\"irc.example.test\" description=\"test\" network=\"Test\" id=\"1AA\">\n\
             <admin name=\"a\" nick=\"a\" email=\"a.example.test\">\n<module name=\"ssl_gnutls\">\n<module name=\"starttls\">\n\
             <sslprofile name=\"Clients\" provider=\"gnutls\" hash=\"sha256\" certfile=\"@/cert.pem\" keyfile=\"@/key.pem\">\n\
             <bind address=\"127.0.0.1\" port=\"{port}\" type=\"clients\">\n\
             <path datadir=\"@/data\" logdir=\"@\" runtimedir=\"@\">\n<connect allow=\"*\" timeout=\"30\">\n<pid file=\"@/pid\">\n"
        ),
    );
    let mut command = Command::new(inspircd);
    command.args(["--runasroot", "--nofork", "--config"]).arg(configuration);
    Ok(Server::start(command, folder, vec![port]))
}

/// An HTTP proxy, and another that wants the login a:b.
pub(crate) fn squid() -> Result<Server, Skip> {
    let squid = program("squid")?;
    let (folder, [open, closed]) = (Folder::new()?, free_ports());
    folder.write(
        "login.sh",
        "#!/bin/sh\nwhile read -r user password; do [ \"$user:$password\" = a:b ] && echo OK || echo ERR; done\n",
    );
    fs::set_permissions(folder.path("login.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    let configuration = folder.write(
        "squid.conf",
        &format!(
            "http_port 127.0.0.1:{open} name=open\nhttp_port 127.0.0.1:{closed} name=closed\npid_filename @/pid\naccess_log none\n\
             cache_log /dev/null\ncache deny all\nlogfile_rotate 0\ncoredump_dir @\nvisible_hostname proxy.example.test\nshutdown_lifetime 0\n\
             pinger_enable off\nauth_param basic program /bin/sh @/login.sh\nacl open myportname open\nacl login proxy_auth REQUIRED\n\
             acl low port 1-1023\nhttp_access deny low\nhttp_access allow open\nhttp_access allow login\nhttp_access deny all\n"
        ),
    );
    let mut command = Command::new(squid);
    command.arg("-N").arg("-f").arg(configuration);
    Ok(Server::start(command, folder, vec![open, closed]))
}

/// A SOCKS5 proxy without login, that connects to high ports of loopback.
pub(crate) fn dante() -> Result<Server, Skip> {
    let danted = program("danted").or_else(|_| program("sockd"))?;
    if !root() {
        return Err("Dante is set up here for root only".to_owned());
    }
    let (folder, [port]) = (Folder::new()?, free_ports());
    let configuration = folder.write(
        "danted.conf",
        &format!(
            "logoutput: @/log\ninternal: 127.0.0.1 port = {port}\nexternal: lo\nclientmethod: none\nsocksmethod: none\n\
             user.privileged: root\nuser.unprivileged: nobody\nclient pass {{ from: 0/0 to: 0/0 }}\n\
             socks block {{ from: 0/0 to: 0/0 port < 1024 }}\nsocks pass {{ from: 0/0 to: 127.0.0.0/8 }}\n"
        ),
    );
    let mut command = Command::new(danted);
    command.arg("-f").arg(configuration).args(["-N", "1"]).arg("-p").arg(folder.path("pid"));
    Ok(Server::start(command, folder, vec![port]))
}
