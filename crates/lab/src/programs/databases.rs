//! PostgreSQL, MariaDB and OpenLDAP.

use super::{Started, words};
use crate::server::{Lab, Launch, StartError, find_program, is_root};

impl Lab {
    /// PostgreSQL with an empty cluster; `settings` end postgresql.conf.
    pub fn postgres(&self, certificate: &str, settings: &str) -> Started {
        let initdb = find_program("initdb").ok_or_else(|| StartError::Missing("initdb".into()))?;
        let account = if is_root() { "setpriv --reuid=postgres --clear-groups" } else { "" };
        let setup = format!(
            "mkdir data && {{ [ -z '{account}' ] || chown postgres data; }} && \
             {account} {} -D {{dir}}/data -A trust -N --no-instructions >initdb.log && cp {{pki}}/{certificate}.key server.key && \
             chmod 600 server.key && cat extra.conf >>data/postgresql.conf",
            initdb.display()
        );
        self.launch(Launch {
            program: "postgres",
            args: words("-D {dir}/data"),
            setup: &setup,
            files: vec![(
                "extra.conf",
                format!(
                    "listen_addresses = '127.0.0.1'\nport = {{port}}\nunix_socket_directories = '{{dir}}'\nfsync = off\n\
                     shared_buffers = '1MB'\nmax_connections = 20\nssl = on\nssl_cert_file = '{{pki}}/{certificate}.pem'\n\
                     ssl_key_file = '{{dir}}/server.key'\n{settings}\n"
                ),
            )],
            user: is_root().then_some("postgres"),
            ..Launch::default()
        })
    }

    /// MariaDB with an empty data directory; `settings` are further options.
    pub fn mariadb(&self, certificate: &str, settings: &str) -> Started {
        self.launch(Launch {
            program: "mariadbd",
            args: words(&format!(
                "--no-defaults --skip-grant-tables --skip-networking=0 --bind-address=127.0.0.1 --port={{port}} \
                 --datadir={{dir}} --socket={{dir}}/socket --pid-file={{dir}}/pid --innodb=OFF \
                 --default-storage-engine=Aria --skip-log-bin --ssl-cert={{pki}}/{certificate}.pem \
                 --ssl-key={{pki}}/{certificate}.key {settings}"
            )),
            user: is_root().then_some("nobody"),
            ..Launch::default()
        })
    }

    /// OpenLDAP (with GnuTLS, as Debian builds it); `scheme` is `ldap` or `ldaps`.
    pub fn slapd(&self, scheme: &str, certificate: &str, settings: &str) -> Started {
        self.launch(Launch {
            program: "slapd",
            args: words(&format!("-f {{dir}}/slapd.conf -h {scheme}://127.0.0.1:{{port}} -d 0")),
            files: vec![(
                "slapd.conf",
                format!(
                    "include /etc/ldap/schema/core.schema\npidfile {{dir}}/pid\nargsfile {{dir}}/args\n\
                     TLSCACertificateFile {{pki}}/intermediate.pem\nTLSCertificateFile {{pki}}/{certificate}.pem\n\
                     TLSCertificateKeyFile {{pki}}/{certificate}.key\n{settings}\ndatabase config\n"
                ),
            )],
            ..Launch::default()
        })
    }
}
