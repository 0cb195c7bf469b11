//! Fixes applied to real running programs, and the real client before and after.

pub mod clients;
mod servers;

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::programs::Started;
use crate::server::{Lab, Launch, Server, StartError};

pub use servers::SERVERS;

/// The name that clients ask for.
pub(crate) const NAME: &str = "good.example.test";
/// How nginx is asked about its configuration, and made to read it.
pub(crate) const NGINX_CHECK: &str = "nginx -t -e {dir}/error.log -c {dir}/nginx.conf";
pub(crate) const NGINX_RELOAD: &str = "nginx -e {dir}/error.log -s reload -c {dir}/nginx.conf";

/// What must come of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// It helped and was kept; `--undo` brings the fault back.
    Kept,
    /// It was rolled back: the file is as it was.
    RolledBack,
    /// `tlswhy` was killed in the middle; `--recover` takes it back.
    Killed,
}

/// What `tlswhy fix` is given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The server and its configuration.
    Server,
    /// The configuration alone.
    Configuration,
    /// The JSON report of a check made before.
    Report,
}

/// A broken server whose configuration is to be mended.
#[derive(Clone, Copy, Debug)]
pub struct Fix {
    /// Program and fault.
    pub id: &'static str,
    /// Starts it; its configuration lies in `{dir}`.
    pub start: fn(&Lab) -> Started,
    /// What `tlswhy fix` is given.
    pub subject: Subject,
    /// The main file in `{dir}`.
    pub main: &'static str,
    /// The file that is edited, in `{dir}`.
    pub edited: &'static str,
    /// Further arguments of `tlswhy fix`; `{dir}` and `{pki}` are replaced.
    pub args: &'static [&'static str],
    /// Arguments of `openssl s_client`, which fails before and works after.
    pub like: &'static str,
    /// What must come of it.
    pub end: End,
}

const NGINX: Fix = Fix {
    id: "",
    start: |_| Err(StartError::Failed(String::new())),
    subject: Subject::Server,
    main: "nginx.conf",
    edited: "nginx.conf",
    args: &[
        "--assume",
        "nginx=1.22.1",
        "--assume",
        "openssl=3.0.19",
        "--check-command",
        NGINX_CHECK,
        "--reload-command",
        NGINX_RELOAD,
    ],
    like: "",
    end: End::Kept,
};
/// An old client, as s_client can be one.
const TLS_1_0: &str = "-tls1 -cipher ALL:@SECLEVEL=0";
pub(crate) const OUTDATED: &str = "ssl_protocols TLSv1 TLSv1.1; ssl_ciphers ALL:@SECLEVEL=0;";

/// Every fix.
pub const FIXES: &[Fix] = &[
    Fix { id: "nginx-outdated-versions", start: |lab| nginx(lab, &one(OUTDATED)), ..NGINX },
    Fix {
        id: "nginx-versions-that-its-library-takes-away",
        start: |lab| nginx(lab, &one("ssl_protocols TLSv1; # of old")),
        ..NGINX
    },
    Fix {
        id: "nginx-shadowed-versions",
        start: |lab| {
            nginx(
                lab,
                &format!(
                    "server {{ listen 127.0.0.1:{{port}} ssl default_server; server_name old.example.test; {OUTDATED} }}
    # ours
    server {{
        listen 127.0.0.1:{{port}} ssl;
        server_name {NAME};
        ssl_protocols TLSv1.2 TLSv1.3;
    }}"
                ),
            )
        },
        ..NGINX
    },
    Fix {
        id: "nginx-several-lines-of-versions",
        start: |lab| {
            nginx(lab, &one("ssl_protocols TLSv1;\r\n        ssl_protocols TLSv1.1;\r\n        ssl_ciphers ALL:@SECLEVEL=0;"))
        },
        ..NGINX
    },
    Fix {
        id: "nginx-suites-for-another-kind-of-key",
        start: |lab| nginx(lab, &one("ssl_protocols TLSv1.2; ssl_ciphers ECDHE-ECDSA-AES128-GCM-SHA256;")),
        ..NGINX
    },
    Fix {
        id: "nginx-groups",
        start: |lab| nginx(lab, &one("ssl_protocols TLSv1.3; ssl_ecdh_curve secp521r1;")),
        args: &[
            "--client",
            "chrome-156",
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            NGINX_CHECK,
            "--reload-command",
            NGINX_RELOAD,
        ],
        like: "-groups X25519:P-256",
        ..NGINX
    },
    Fix {
        id: "nginx-incomplete-chain",
        start: |lab| nginx(lab, &one("ssl_certificate leaf.pem; ssl_certificate_key rsa.key;")),
        edited: "leaf.pem",
        args: &[
            "--known",
            "{pki}/intermediate.pem",
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            NGINX_CHECK,
            "--reload-command",
            NGINX_RELOAD,
        ],
        ..NGINX
    },
    Fix {
        id: "nginx-listen-without-ssl",
        start: |lab| nginx(lab, &format!("server {{ listen 127.0.0.1:{{port}}; server_name {NAME}; }}")),
        ..NGINX
    },
    Fix {
        id: "nginx-that-is-not-reloaded",
        start: |lab| nginx(lab, &one(OUTDATED)),
        args: &["--assume", "nginx=1.22.1", "--assume", "openssl=3.0.19", "--reload-command", "true"],
        end: End::RolledBack,
        ..NGINX
    },
    Fix {
        id: "nginx-that-does-not-validate",
        start: |lab| nginx(lab, &one(OUTDATED)),
        args: &[
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "false",
            "--reload-command",
            NGINX_RELOAD,
        ],
        end: End::RolledBack,
        ..NGINX
    },
    Fix {
        id: "nginx-killed-while-validating",
        start: |lab| nginx(lab, &one(OUTDATED)),
        args: &[
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "{dir}/kill",
            "--reload-command",
            NGINX_RELOAD,
        ],
        end: End::Killed,
        ..NGINX
    },
    Fix {
        id: "nginx-killed-while-reloading",
        start: |lab| nginx(lab, &one(OUTDATED)),
        args: &[
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "none",
            "--reload-command",
            "{dir}/kill",
        ],
        end: End::Killed,
        ..NGINX
    },
    Fix {
        id: "nginx-from-its-configuration",
        start: |lab| nginx(lab, &one(OUTDATED)),
        subject: Subject::Configuration,
        ..NGINX
    },
    Fix { id: "nginx-from-a-report", start: |lab| nginx(lab, &one(OUTDATED)), subject: Subject::Report, ..NGINX },
    Fix {
        id: "nginx-to-a-guideline",
        start: |lab| nginx(lab, &one(OUTDATED)),
        args: &[
            "--to",
            "modern",
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            NGINX_CHECK,
            "--reload-command",
            NGINX_RELOAD,
        ],
        like: "-tls1_3",
        ..NGINX
    },
    Fix {
        id: "nginx-to-an-older-guideline",
        start: |lab| nginx(lab, &one("ssl_protocols TLSv1.3;")),
        args: &[
            "--to",
            "old-5.8",
            "--client",
            "android-4.4",
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            NGINX_CHECK,
            "--reload-command",
            NGINX_RELOAD,
        ],
        like: TLS_1_0,
        ..NGINX
    },
    Fix {
        id: "nginx-to-what-an-old-client-needs",
        start: |lab| nginx(lab, &one("ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ECDHE-RSA-AES128-GCM-SHA256;")),
        args: &[
            "--to",
            "client",
            "--client",
            "android-4.4",
            "--assume",
            "nginx=1.22.1",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            NGINX_CHECK,
            "--reload-command",
            NGINX_RELOAD,
        ],
        like: TLS_1_0,
        ..NGINX
    },
    Fix {
        id: "postfix-outdated-versions",
        start: |lab| lab.postfix("rsa", "# of old\nsmtpd_tls_protocols = >=TLSv1, <=TLSv1.1"),
        main: "main.cf",
        edited: "main.cf",
        args: &[
            "--starttls",
            "smtp",
            "--assume",
            "postfix=3.7.11",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "postfix -c {dir} check",
            "--reload-command",
            "postfix -c {dir} reload",
        ],
        like: "-starttls smtp",
        ..NGINX
    },
    Fix {
        id: "dovecot-too-new-for-a-client",
        start: |lab| lab.dovecot("rsa", "imap", true, "# of late\nssl_min_protocol = TLSv1.3 # only"),
        main: "dovecot.conf",
        edited: "dovecot.conf",
        args: &[
            "--client",
            "java-8u161",
            "--assume",
            "dovecot=2.3.19",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "doveconf -n -c {dir}/dovecot.conf",
            "--reload-command",
            "doveadm -c {dir}/dovecot.conf reload",
        ],
        like: "-tls1_2",
        ..NGINX
    },
    Fix {
        id: "caddy-too-new-for-a-client",
        start: |lab| caddy(lab, "tls {dir}/rsa.pem {dir}/rsa.key { # of late\n\t\tprotocols tls1.3 # only\n\t}"),
        main: "Caddyfile",
        edited: "Caddyfile",
        // It validates and reloads by its own commands.
        args: &["--client", "java-8u161", "--assume", "caddy=2.6.2"],
        like: "-tls1_2",
        ..NGINX
    },
    Fix {
        id: "caddy-whose-wildcard-rules",
        start: |lab| {
            caddy(lab, "respond ok\n}\n*.example.test:{port} {\n\ttls {dir}/rsa.pem {dir}/rsa.key {\n\t\tprotocols tls1.3\n\t}")
        },
        main: "Caddyfile",
        edited: "Caddyfile",
        args: &["--client", "java-8u161", "--assume", "caddy=2.6.2"],
        like: "-tls1_2",
        ..NGINX
    },
    Fix {
        id: "apache-outdated-versions",
        start: |lab| apache(lab, "SSLProtocol TLSv1.1\nSSLCipherSuite ALL:@SECLEVEL=0"),
        main: "httpd.conf",
        edited: "httpd.conf",
        args: &[
            "--assume",
            "apache=2.4.67",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "apache2 -t -f {dir}/httpd.conf",
            "--reload-command",
            "apache2 -k graceful -f {dir}/httpd.conf",
        ],
        ..NGINX
    },
];

fn one(settings: &str) -> String {
    format!("server {{\n        listen 127.0.0.1:{{port}} ssl; # here\n        server_name {NAME};\n        {settings}\n    }}")
}

/// nginx with these settings in its one server.
pub(crate) fn nginx_with(settings: &str, lab: &Lab) -> Started {
    nginx(lab, &one(settings))
}

/// Two faults in two files: `nginx.conf` and `leaf.pem`.
pub(crate) fn nginx_with_two_faults(lab: &Lab) -> Started {
    nginx(lab, &one(&format!("ssl_certificate leaf.pem; ssl_certificate_key rsa.key; {OUTDATED}")))
}

/// nginx with a master process, so that it can be reloaded.
fn nginx(lab: &Lab, servers: &str) -> Started {
    let certificate =
        if servers.contains("ssl_certificate ") { "" } else { "ssl_certificate rsa.pem; ssl_certificate_key rsa.key;" };
    lab.launch(Launch {
        program: "nginx",
        args: words("-e {dir}/error.log -c {dir}/nginx.conf"),
        setup: "cp '{pki}/rsa.pem' '{pki}/rsa.key' . && cp '{pki}/rsa.leaf.pem' leaf.pem && \
                printf '#!/bin/sh\\nkill -9 $PPID\\n' > kill && chmod 755 kill && : > more.conf",
        files: vec![(
            "nginx.conf",
            format!(
                "daemon off;\nuser root;\npid {{dir}}/nginx.pid;\nerror_log {{dir}}/error.log info;\n\
                 events {{ worker_connections 128; }}\nhttp {{\n    access_log off;\n    {certificate}\n    {servers}\n}}\n"
            ),
        )],
        ..Launch::default()
    })
}

fn apache(lab: &Lab, body: &str) -> Started {
    const MODULES: &str = "/usr/lib/apache2/modules";
    lab.launch(Launch {
        program: "apache2",
        args: words("-D FOREGROUND -f {dir}/httpd.conf"),
        setup: "mkdir www && echo ok > www/index.html && cp '{pki}/rsa.pem' '{pki}/rsa.key' .",
        files: vec![(
            "httpd.conf",
            format!(
                "ServerRoot {{dir}}\nDefaultRuntimeDir {{dir}}\nPidFile {{dir}}/httpd.pid\nErrorLog {{dir}}/error.log\n\
                 ServerName {NAME}\nLoadModule mpm_event_module {MODULES}/mod_mpm_event.so\n\
                 LoadModule authz_core_module {MODULES}/mod_authz_core.so\nLoadModule dir_module {MODULES}/mod_dir.so\n\
                 LoadModule socache_shmcb_module {MODULES}/mod_socache_shmcb.so\nLoadModule ssl_module {MODULES}/mod_ssl.so\n\
                 Listen 127.0.0.1:{{port}}\nDocumentRoot {{dir}}/www\n<VirtualHost 127.0.0.1:{{port}}>\nServerName {NAME}\n\
                 SSLEngine on\nSSLCertificateFile {{dir}}/rsa.pem\nSSLCertificateKeyFile {{dir}}/rsa.key\n{body}\n</VirtualHost>\n"
            ),
        )],
        ..Launch::default()
    })
}

/// Caddy with a site for the name; it is reloaded by way of a socket in its directory.
fn caddy(lab: &Lab, site: &str) -> Started {
    lab.launch(Launch {
        program: "caddy",
        args: words("run --adapter caddyfile --config {dir}/Caddyfile"),
        setup: "cp '{pki}/rsa.pem' '{pki}/rsa.key' .",
        files: vec![(
            "Caddyfile",
            format!(
                "{{\n\tadmin unix/{{dir}}/admin.sock\n\tauto_https disable_redirects\n\tskip_install_trust\n\tlocal_certs\n\t\
                 storage file_system {{dir}}\n\tdefault_bind 127.0.0.1\n}}\n\n{NAME}:{{port}} {{\n\t{site}\n}}\n"
            ),
        )],
        env: vec![("HOME", "{dir}".into()), ("XDG_CONFIG_HOME", "{dir}".into()), ("XDG_DATA_HOME", "{dir}".into())],
        ..Launch::default()
    })
}

fn words(text: &str) -> Vec<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// Applies a fix and looks at everything; the lines say what was not as it must be.
pub fn run(lab: &Lab, binary: &Path, fix: &Fix) -> Result<Vec<String>, StartError> {
    let server = (fix.start)(lab)?;
    let dir = server.dir();
    let state = tempfile::tempdir().map_err(StartError::of)?;
    let edited = dir.join(fix.edited);
    let before = fs::read(&edited).map_err(StartError::of)?;
    let tlswhy = |arguments: &[String]| -> Result<(Option<i32>, String), StartError> {
        let output =
            Command::new(binary).args(arguments).env("TLSWHY_STATE_DIR", state.path()).output().map_err(StartError::of)?;
        let said = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        Ok((output.status.code(), said))
    };
    let fill = |text: &str| text.replace("{dir}", &dir.display().to_string()).replace("{pki}", &lab.pki.display().to_string());
    let main = dir.join(fix.main).display().to_string();
    let target = format!("127.0.0.1:{}", server.port);
    let asked = [target.as_str(), "--sni", NAME, "--server-config", &main].map(str::to_owned).to_vec();
    let report = dir.join("report.json").display().to_string();
    let mut arguments = vec!["fix".to_owned(), "--ca".to_owned(), fill("{pki}/ca.pem")];
    arguments.extend(match fix.subject {
        Subject::Server => asked.clone(),
        Subject::Configuration => vec![main],
        Subject::Report => vec![report.clone()],
    });
    arguments.extend(fix.args.iter().map(|argument| fill(argument)));
    if fix.subject == Subject::Report {
        let written = ["--ca", &fill("{pki}/ca.pem"), "--format", "json", "--output", &report].map(str::to_owned);
        let _status = tlswhy(&[&["check".to_owned()], &asked[..], &written[..]].concat())?;
    }

    let mut wrong = Vec::new();
    let mut expect = |good: bool, what: String| {
        if !good {
            wrong.push(what);
        }
    };
    expect(!works(&server, lab, fix.like)?, "the client works before".to_owned());
    let (status, said) = tlswhy(&arguments)?;
    expect(status == Some(1), format!("without --apply the status is {status:?}: {said}"));
    expect(fs::read(&edited).map_err(StartError::of)? == before, "without --apply the file changes".to_owned());
    arguments.push("--apply".to_owned());
    let (status, said) = tlswhy(&arguments)?;
    let after = fs::read(&edited).map_err(StartError::of)?;
    match fix.end {
        End::Kept => {
            expect(status == Some(0), format!("status {status:?}: {said}"));
            expect(comes_to_work(&server, lab, fix.like)?, format!("the client fails afterwards: {said}"));
            expect(after != before && keeps_comments(&before, &after), "more than the line changed".to_owned());
            let (status, said) = tlswhy(&["fix".to_owned(), "--undo".to_owned()])?;
            expect(status == Some(0), format!("--undo ends with {status:?}: {said}"));
            expect(fs::read(&edited).map_err(StartError::of)? == before, "--undo does not bring the file back".to_owned());
        }
        End::RolledBack => {
            expect(status == Some(1) && said.contains("Restored"), format!("status {status:?}: {said}"));
            expect(after == before, "the file is not as it was".to_owned());
            expect(!works(&server, lab, fix.like)?, "the client works although it was rolled back".to_owned());
        }
        End::Killed => {
            expect(status.is_none(), format!("it was not killed: {said}"));
            expect(after != before, "it was killed before the file was replaced".to_owned());
            let (again, refused) = tlswhy(&arguments)?;
            expect(again == Some(2) && refused.contains("--recover"), format!("a second run goes on: {refused}"));
            let (status, said) = tlswhy(&["fix".to_owned(), "--recover".to_owned()])?;
            // The reload is the script that kills: then the last step stays to be done.
            expect(status == Some(0) || status.is_none(), format!("--recover ends with {status:?}: {said}"));
            expect(fs::read(&edited).map_err(StartError::of)? == before, "--recover does not bring the file back".to_owned());
        }
    }
    let leftovers = leftovers(&dir)?;
    expect(leftovers.is_empty(), format!("left behind: {leftovers:?}"));
    Ok(wrong)
}

/// The files that `tlswhy` made in a directory and left there.
pub(crate) fn leftovers(dir: &Path) -> Result<Vec<String>, StartError> {
    let there = fs::read_dir(dir).map_err(StartError::of)?.filter_map(Result::ok);
    let names = there.map(|entry| entry.file_name().to_string_lossy().into_owned());
    Ok(names.filter(|name| name.contains(".tlswhy")).collect())
}

/// Every comment of the old file is in the new one.
fn keeps_comments(before: &[u8], after: &[u8]) -> bool {
    let (before, after) = (String::from_utf8_lossy(before), String::from_utf8_lossy(after));
    let comments = before.lines().filter_map(|line| line.split_once('#').map(|(_, comment)| comment));
    comments.into_iter().all(|comment| after.contains(comment))
}

/// Whether the client comes to connect: for a moment after a reload old processes may still answer.
fn comes_to_work(server: &Server, lab: &Lab, like: &str) -> Result<bool, StartError> {
    for _ in 0..10 {
        if works(server, lab, like)? {
            return Ok(true);
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    Ok(false)
}

/// Whether `openssl s_client` connects and trusts what it sees.
pub(crate) fn works(server: &Server, lab: &Lab, like: &str) -> Result<bool, StartError> {
    let output = Command::new("timeout")
        .args(["5", "openssl", "s_client", "-connect", &server.address().to_string(), "-servername", NAME])
        .args(["-CAfile", &lab.pki.join("ca.pem").display().to_string(), "-verify_return_error"])
        .args(words(like))
        .stdin(std::process::Stdio::null())
        .output()
        .map_err(StartError::of)?;
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    Ok(output.status.success() && text.contains("Verify return code: 0 (ok)") && !text.contains("Cipher is (NONE)"))
}
