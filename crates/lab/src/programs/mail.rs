//! SMTP, IMAP, POP3, FTP and XMPP servers.

use super::{Started, words};
use crate::server::{Lab, Launch, StartError, is_root, shell};

impl Lab {
    /// Postfix' SMTP server; `settings` are lines of main.cf. Postfix needs root.
    pub fn postfix(&self, certificate: &str, settings: &str) -> Started {
        if !is_root() {
            return Err(StartError::Missing("root, which Postfix needs".into()));
        }
        self.launch(Launch {
            program: "postfix",
            args: words("-c {dir} start-fg"),
            files: vec![
                ("spool/keep", String::new()),
                ("data/keep", String::new()),
                (
                    "main.cf",
                    format!(
                        "compatibility_level = 3.6\nqueue_directory = {{dir}}/spool\ndata_directory = {{dir}}/data\n\
                         daemon_directory = /usr/lib/postfix/sbin\ncommand_directory = /usr/sbin\n\
                         mail_owner = postfix\nsetgid_group = postdrop\nmyhostname = mail.example.test\n\
                         mynetworks = 127.0.0.0/8\nmaillog_file = {{dir}}/mail.log\nmaillog_file_prefixes = {{dir}}\n\
                         multi_instance_wrapper =\nalias_maps =\n\
                         smtpd_tls_security_level = may\nsmtpd_tls_chain_files = {{pki}}/{certificate}.key, {{pki}}/{certificate}.pem\n\
                         {settings}\n"
                    ),
                ),
                (
                    "master.cf",
                    "127.0.0.1:{port} inet n - n - - smtpd\n\
                     rewrite unix - - n - - trivial-rewrite\ncleanup unix n - n - 0 cleanup\n\
                     qmgr unix n - n 300 1 qmgr\ntlsmgr unix - - n 1000? 1 tlsmgr\nanvil unix - - n - 1 anvil\n\
                     proxymap unix - - n - - proxymap\npostlog unix-dgram n - n - 1 postlogd\n"
                        .into(),
                ),
            ],
            setup: "chown postfix data",
            ..Launch::default()
        })
    }

    /// Dovecot for one `protocol` (`imap`, `pop3`), waiting for STARTTLS unless `implicit_tls`; `settings` are further lines.
    /// Dovecot needs root.
    pub fn dovecot(&self, certificate: &str, protocol: &str, implicit_tls: bool, settings: &str) -> Started {
        if !is_root() {
            return Err(StartError::Missing("root, which Dovecot's accounts need".into()));
        }
        let ssl = if implicit_tls { "yes" } else { "no" };
        self.launch(Launch {
            program: "dovecot",
            args: words("-F -c {dir}/dovecot.conf"),
            files: vec![(
                "dovecot.conf",
                format!(
                    "base_dir = {{dir}}/run\nstate_dir = {{dir}}/state\nlog_path = {{dir}}/dovecot.log\n\
                     protocols = {protocol}\nlisten = 127.0.0.1\n\
                     service {protocol}-login {{\n  chroot =\n  inet_listener {protocol} {{\n    port = {{port}}\n    ssl = {ssl}\n  }}\n  \
                     inet_listener {protocol}s {{\n    port = 0\n  }}\n}}\n\
                     service anvil {{\n  chroot =\n}}\n\
                     ssl = yes\nssl_cert = <{{pki}}/{certificate}.pem\nssl_key = <{{pki}}/{certificate}.key\n\
                     passdb {{\n  driver = static\n  args = password=x\n}}\nuserdb {{\n  driver = static\n  args = uid=65534 gid=65534 home={{dir}}\n}}\n\
                     {settings}\n"
                ),
            )],
            ..Launch::default()
        })
    }

    /// vsftpd with explicit FTPS.
    pub fn vsftpd(&self, certificate: &str, settings: &str) -> Started {
        self.launch(Launch {
            program: "vsftpd",
            args: words("{dir}/vsftpd.conf"),
            files: vec![(
                "vsftpd.conf",
                format!(
                    "listen=YES\nlisten_ipv6=NO\nlisten_address=127.0.0.1\nlisten_port={{port}}\nbackground=NO\n\
                     run_as_launching_user=YES\nanonymous_enable=YES\nanon_root={{dir}}\nsecure_chroot_dir={{dir}}\n\
                     seccomp_sandbox=NO\nssl_enable=YES\nrsa_cert_file={{pki}}/{certificate}.pem\n\
                     rsa_private_key_file={{pki}}/{certificate}.key\n{settings}\n"
                ),
            )],
            ..Launch::default()
        })
    }

    /// pyftpdlib with explicit FTPS; `setting` is one line of Python about `context`, pyOpenSSL's.
    pub fn pyftpd(&self, certificate: &str, setting: &str) -> Started {
        const PYTHON: &str = "/usr/bin/python3";
        shell(&format!("{PYTHON} -c 'import pyftpdlib.handlers, OpenSSL'"))
            .map_err(|_| StartError::Missing("pyftpdlib and pyOpenSSL for the system's Python".into()))?;
        self.launch(Launch {
            program: PYTHON,
            args: vec!["{dir}/ftp.py".into(), "{port}".into(), format!("{{pki}}/{certificate}.all.pem"), setting.into()],
            files: vec![(
                "ftp.py",
                "import sys\nfrom OpenSSL import SSL\nfrom pyftpdlib import authorizers, handlers, servers\n\
                 context = SSL.Context(SSL.SSLv23_METHOD)\ncontext.use_certificate_chain_file(sys.argv[2])\n\
                 context.use_privatekey_file(sys.argv[2])\nexec(sys.argv[3])\n\
                 class Handler(handlers.TLS_FTPHandler):\n    authorizer = authorizers.DummyAuthorizer()\n    \
                 ssl_context = context\n    @classmethod\n    def get_ssl_context(cls): return context\n\
                 servers.FTPServer(('127.0.0.1', int(sys.argv[1])), Handler).serve_forever()\n"
                    .into(),
            )],
            ..Launch::default()
        })
    }

    /// Prosody for `good.example.test`, waiting for STARTTLS.
    pub fn prosody(&self, certificate: &str, ssl: &str) -> Started {
        self.launch(Launch {
            program: "prosody",
            args: words("-F --config {dir}/prosody.cfg.lua"),
            files: vec![(
                "prosody.cfg.lua",
                format!(
                    "run_as_root = true\ndata_path = '{{dir}}'\npidfile = '{{dir}}/prosody.pid'\n\
                     log = {{ {{ levels = {{ min = 'info' }}, to = 'console' }} }}\n\
                     interfaces = {{ '127.0.0.1' }}\nc2s_ports = {{ {{port}} }}\nc2s_direct_tls_ports = {{}}\n\
                     modules_enabled = {{ 'tls', 'saslauth' }}\nmodules_disabled = {{ 's2s' }}\n\
                     ssl = {{ certificate = '{{pki}}/{certificate}.pem', key = '{{pki}}/{certificate}.key', {ssl} }}\n\
                     VirtualHost 'good.example.test'\n"
                ),
            )],
            ..Launch::default()
        })
    }
}
