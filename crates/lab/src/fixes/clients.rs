//! Edits of the files of client programs: the real client fails before, connects after the edit, and fails again once it is taken back.
//!
//! For openssl.cnf `tlswhy fix` does it all, since it looks at this machine's OpenSSL anew each time. It sees no other program's hello:
//! there the edit that the dialect proposes is put into the file here, and taken out again.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use tlswhy_config::{CannotMend, Patch, Service, Side, Want, dialect, patched};
use tlswhy_wire::ProtocolVersion;

use super::NAME;
use crate::clients::reading;
use crate::programs::Started;
use crate::server::{Lab, StartError, find_program, shell};

/// A client whose file keeps it from a server.
#[derive(Clone, Copy, Debug)]
pub struct ClientFix {
    /// The dialect of its file.
    pub dialect: &'static str,
    /// The server, with one version.
    pub server: fn(&Lab) -> Started,
    /// A shell script run in the server's directory once it is there.
    pub prepare: &'static str,
    /// The file and what stands in it; `{dir}` is the server's directory, `{port}` its port, `{pki}` the certificates.
    pub file: (&'static str, &'static str),
    /// The client and its arguments.
    pub command: &'static [&'static str],
    /// How it ends where the handshake succeeded.
    pub good: &'static [i32],
}

/// Every client.
pub const CLIENTS: &[ClientFix] = &[
    ClientFix {
        dialect: "curl",
        server: only_1_3,
        prepare: "",
        file: (".curlrc", "# of old\ncacert = {pki}/ca.pem\ntls-max = 1.2 # ours\n"),
        command: &[
            "curl",
            "-sS",
            "-m",
            "15",
            "--resolve",
            "good.example.test:{port}:127.0.0.1",
            "https://good.example.test:{port}/",
        ],
        good: &[0],
    },
    ClientFix {
        dialect: "wget",
        server: only_1_3,
        prepare: "",
        file: (".wgetrc", "# of old\ncheck_certificate = off\nsecure_protocol = SSLv3\n"),
        command: &["wget", "-q", "-O-", "-t1", "-T15", "https://127.0.0.1:{port}/"],
        good: &[0],
    },
    ClientFix {
        dialect: "git",
        server: |lab| lab.nginx("rsa", "ssl_protocols TLSv1.2; location /r.git/ { alias {dir}/r.git/; }"),
        prepare: "git init -q --bare r.git && git -C r.git update-server-info && chmod -R a+rX .",
        file: (".gitconfig", "# of old\n[http]\n\tsslVerify = false\n\tsslVersion = tlsv1.3 # ours\n"),
        command: &["git", "ls-remote", "https://127.0.0.1:{port}/r.git"],
        good: &[0],
    },
    ClientFix {
        dialect: "libpq",
        server: |lab| lab.postgres("rsa", "ssl_min_protocol_version = 'TLSv1.3'"),
        prepare: "",
        file: (
            ".pg_service.conf",
            "# of old\n[lab]\nhost=good.example.test\nhostaddr=127.0.0.1\nport={port}\nuser=postgres\ndbname=postgres\n\
             sslmode=verify-full\nsslrootcert={pki}/ca.pem\nssl_max_protocol_version=TLSv1.2\n",
        ),
        command: &["psql", "service=lab", "-c", "select 1"],
        good: &[0],
    },
    ClientFix {
        dialect: "mysql",
        server: |lab| lab.mariadb("rsa", "--tls-version=TLSv1.3"),
        prepare: "",
        file: (
            ".my.cnf",
            "# of old\n[client]\nhost = 127.0.0.1\nport = {port}\nprotocol = tcp\nssl-ca = {pki}/ca.pem\ntls_version = TLSv1.2 # ours\n",
        ),
        command: &["mariadb", "--connect-timeout=15", "-e", "select 1"],
        good: &[0],
    },
];

fn only_1_3(lab: &Lab) -> Started {
    lab.nginx("rsa", "ssl_protocols TLSv1.3;")
}

/// A client and its file, beside a server.
struct Beside<'b> {
    dir: &'b Path,
    port: u16,
    pki: &'b Path,
}

impl Beside<'_> {
    fn fill(&self, text: &str) -> String {
        text.replace("{dir}", &self.dir.display().to_string())
            .replace("{port}", &self.port.to_string())
            .replace("{pki}", &self.pki.display().to_string())
    }

    /// How a client ends whose home is the server's directory; what it said.
    fn run(&self, command: &[&str], env: &[(&str, &str)]) -> Result<(Option<i32>, String), StartError> {
        let output = Command::new("timeout")
            .arg("20")
            .args(command.iter().map(|word| self.fill(word)))
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("HOME", self.dir)
            .env("LC_ALL", "C")
            .envs(env.iter().map(|(name, value)| (*name, self.fill(value))))
            .stdin(Stdio::null())
            .output()
            .map_err(StartError::of)?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code(), said))
    }
}

/// Runs a client before, after and once more; the lines say what was not as it must be.
///
/// # Errors
/// The server or the client is not installed, or a file cannot be read or written.
pub fn run(lab: &Lab, fix: &ClientFix) -> Result<Vec<String>, StartError> {
    let program = fix.command.first().copied().unwrap_or_default();
    find_program(program).ok_or_else(|| StartError::Missing(program.to_owned()))?;
    let server = (fix.server)(lab)?;
    let dir = server.dir();
    let beside = Beside { dir: &dir, port: server.port, pki: &lab.pki };
    shell(&format!("cd '{}' && {{ {} ; }}", dir.display(), if fix.prepare.is_empty() { "true" } else { fix.prepare }))?;
    let file = dir.join(fix.file.0);
    let before = beside.fill(fix.file.1);
    fs::write(&file, &before).map_err(StartError::of)?;
    let mut wrong = Vec::new();
    let mut expect = |connects: bool, when: &str| -> Result<(), StartError> {
        let (status, said) = beside.run(fix.command, &[])?;
        if status.is_some_and(|status| fix.good.contains(&status)) != connects {
            wrong.push(format!("{when} it ends with {status:?}: {said}"));
        }
        Ok(())
    };
    expect(false, "before")?;
    let patches = edits(fix.dialect, &file, server.port)?;
    let after = patched(before.as_bytes(), &patches).ok_or_else(|| StartError::Failed("the edits overlap".to_owned()))?;
    fs::write(&file, &after).map_err(StartError::of)?;
    expect(true, "after the edit")?;
    fs::write(&file, &before).map_err(StartError::of)?;
    expect(false, "once the edit is taken back")?;
    Ok(wrong)
}

/// What the dialect does to get TLS 1.2 and 1.3 for the client of this file.
fn edits(name: &str, file: &Path, port: u16) -> Result<Vec<Patch>, StartError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(StartError::of)?;
    let want = Want::Versions(vec![ProtocolVersion::TLSV1_2, ProtocolVersion::TLSV1_3]);
    let dialect = dialect(name).ok_or_else(|| StartError::Failed(format!("no dialect {name}")))?;
    let made = reading(dialect, &file.display().to_string(), &runtime, &[], std::convert::identity, |context, reading| {
        let clients = || reading.services.iter().filter(|service| service.side == Side::Client);
        let there = |service: &&Service| service.listens_on(port).is_some();
        let service = clients().find(there).or_else(|| clients().next())?;
        Some((dialect.mend)(context, service, &want))
    });
    match made.map_err(StartError::Failed)? {
        Some(Ok(patches)) => Ok(patches),
        Some(Err(CannotMend { why })) => Err(StartError::Failed(why)),
        None => Err(StartError::Failed("no client is read".to_owned())),
    }
}

/// openssl.cnf, by `tlswhy fix --apply` and `--undo`; `openssl s_client` is the client.
///
/// # Errors
/// nginx or openssl is not installed, or a file cannot be read or written.
pub fn openssl_cnf(lab: &Lab, binary: &Path) -> Result<Vec<String>, StartError> {
    let server = only_1_3(lab)?;
    let dir = server.dir();
    let beside = Beside { dir: &dir, port: server.port, pki: &lab.pki };
    let file = dir.join("openssl.cnf");
    let text = "# of old\nopenssl_conf = lab\n[lab]\nssl_conf = ssl\n[ssl]\nsystem_default = all\n[all]\nMaxProtocol = TLSv1.2 # ours\n";
    fs::write(&file, text).map_err(StartError::of)?;
    let env = [("OPENSSL_CONF", "{dir}/openssl.cnf"), ("TLSWHY_STATE_DIR", "{dir}/state")];
    let connect =
        format!("openssl s_client -connect 127.0.0.1:{{port}} -servername {NAME} -CAfile {{pki}}/ca.pem -verify_return_error");
    let binary = binary.display().to_string();
    let fix =
        format!("{binary} fix 127.0.0.1:{{port}} --sni {NAME} --ca {{pki}}/ca.pem --client-config {{dir}}/openssl.cnf --apply");
    let undo = format!("{binary} fix --undo");
    let mut wrong = Vec::new();
    for (step, command, good) in [
        ("the client before", &connect, false),
        ("the fix", &fix, true),
        ("the client after the fix", &connect, true),
        ("--undo", &undo, true),
        ("the client after --undo", &connect, false),
    ] {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (status, said) = beside.run(&words, &env)?;
        if (status == Some(0)) != good {
            wrong.push(format!("{step} ends with {status:?}: {said}"));
        }
    }
    if fs::read_to_string(&file).map_err(StartError::of)? != text {
        wrong.push("--undo does not bring the file back".to_owned());
    }
    Ok(wrong)
}
