//! The real servers, each with the least configuration that starts it on `{port}`; see [`crate::server::Launch`] for
//! the placeholders. `certificate` is a stem of [`crate::pki`]: `rsa`, `ecdsa`, …

use std::fs;

use crate::server::{Lab, Launch, Server, StartError};

mod databases;
mod mail;
mod runtimes;

/// How a program is started.
pub type Started = Result<Server, StartError>;

impl Lab {
    /// nginx with one HTTPS server; `body` stands inside its `server` block.
    pub fn nginx(&self, certificate: &str, body: &str) -> Started {
        self.nginx_http(&format!(
            "server {{ listen 127.0.0.1:{{port}} ssl; server_name good.example.test;
             ssl_certificate {{pki}}/{certificate}.pem; ssl_certificate_key {{pki}}/{certificate}.key;
             location / {{ return 200 'ok\\n'; }}
             {body} }}"
        ))
    }

    /// nginx; `body` stands inside its `http` block.
    pub fn nginx_http(&self, body: &str) -> Started {
        self.nginx_main(&format!(
            "http {{ access_log off; client_body_temp_path {{dir}}/t1; proxy_temp_path {{dir}}/t2;
             fastcgi_temp_path {{dir}}/t3; uwsgi_temp_path {{dir}}/t4; scgi_temp_path {{dir}}/t5;
             {body} }}"
        ))
    }

    /// nginx's stream module; `body` stands inside a `server` block that listens with TLS.
    pub fn nginx_stream(&self, certificate: &str, body: &str) -> Started {
        self.nginx_main(&format!(
            "stream {{ server {{ listen 127.0.0.1:{{port}} ssl;
             ssl_certificate {{pki}}/{certificate}.pem; ssl_certificate_key {{pki}}/{certificate}.key;
             return 'ok\\n'; {body} }} }}"
        ))
    }

    /// nginx's mail module; `body` stands inside a `server` block and says protocol and STARTTLS.
    pub fn nginx_mail(&self, certificate: &str, body: &str) -> Started {
        self.nginx_main(&format!(
            "mail {{ server_name mail.example.test; auth_http 127.0.0.1:9/auth;
             ssl_certificate {{pki}}/{certificate}.pem; ssl_certificate_key {{pki}}/{certificate}.key;
             server {{ listen 127.0.0.1:{{port}}; {body} }} }}"
        ))
    }

    /// nginx; `body` is everything but the process settings.
    pub fn nginx_main(&self, body: &str) -> Started {
        let modules: String = [("stream {", "stream"), ("mail {", "mail")]
            .iter()
            .filter(|(block, _)| body.contains(block))
            .map(|(_, name)| format!("load_module /usr/lib/nginx/modules/ngx_{name}_module.so;\n"))
            .collect();
        self.launch(Launch {
            program: "nginx",
            args: words("-e {dir}/error.log -c {dir}/nginx.conf"),
            // So that a configuration can name them without saying where they are.
            setup: "cp '{pki}/rsa.pem' '{pki}/rsa.key' . 2>/dev/null || true",
            files: vec![(
                "nginx.conf",
                format!(
                    "{modules}daemon off; master_process off; pid {{dir}}/nginx.pid; error_log {{dir}}/error.log info;
                     events {{ worker_connections 128; }}\n{body}\n"
                ),
            )],
            ..Launch::default()
        })
    }

    /// Apache httpd with mod_ssl and one virtual host; `body` stands inside it.
    pub fn apache(&self, certificate: &str, body: &str) -> Started {
        self.apache_main(&format!(
            "<VirtualHost 127.0.0.1:{{port}}>
             ServerName good.example.test
             SSLEngine on
             SSLCertificateFile {{pki}}/{certificate}.pem
             SSLCertificateKeyFile {{pki}}/{certificate}.key
             {body}
             </VirtualHost>"
        ))
    }

    /// Apache httpd with mod_ssl; `body` stands at the end of the configuration.
    pub fn apache_main(&self, body: &str) -> Started {
        const MODULES: &str = "/usr/lib/apache2/modules";
        self.launch(Launch {
            program: "apache2",
            args: words("-X -f {dir}/httpd.conf"),
            files: vec![
                ("www/index.html", "ok\n".into()),
                (
                    "httpd.conf",
                    format!(
                        "ServerRoot {{dir}}\nDefaultRuntimeDir {{dir}}\nPidFile {{dir}}/httpd.pid\n\
                         ErrorLog {{dir}}/error.log\nLogLevel ssl:info\nServerName good.example.test\n\
                         LoadModule mpm_event_module {MODULES}/mod_mpm_event.so\n\
                         LoadModule authz_core_module {MODULES}/mod_authz_core.so\n\
                         LoadModule dir_module {MODULES}/mod_dir.so\n\
                         LoadModule socache_shmcb_module {MODULES}/mod_socache_shmcb.so\n\
                         LoadModule ssl_module {MODULES}/mod_ssl.so\n\
                         Listen 127.0.0.1:{{port}}\nDocumentRoot {{dir}}/www\n{body}\n"
                    ),
                ),
            ],
            ..Launch::default()
        })
    }

    /// HAProxy with one TLS front end; `bind` ends the bind line, `global` stands in the global section.
    pub fn haproxy(&self, certificate: &str, bind: &str, global: &str) -> Started {
        self.haproxy_bind(&format!("ssl crt {{pki}}/{certificate}.all.pem {bind}"), global)
    }

    /// HAProxy; `bind` is all that follows the address on the bind line.
    pub fn haproxy_bind(&self, bind: &str, global: &str) -> Started {
        self.launch(Launch {
            program: "haproxy",
            args: words("-db -f {dir}/haproxy.cfg"),
            files: vec![(
                "haproxy.cfg",
                format!(
                    "global\n  {global}\ndefaults\n  mode http\n  timeout client 20s\n  timeout server 20s\n  \
                     timeout connect 5s\nfrontend lab\n  \
                     bind 127.0.0.1:{{port}} {bind}\n  \
                     http-request return status 200 content-type text/plain string ok\n"
                ),
            )],
            ..Launch::default()
        })
    }

    /// lighttpd with one TLS socket; `body` ends the configuration. `module` is `mod_openssl` or `mod_gnutls`.
    pub fn lighttpd(&self, module: &str, certificate: &str, body: &str) -> Started {
        self.launch(Launch {
            program: "lighttpd",
            args: words("-D -f {dir}/lighttpd.conf"),
            files: vec![
                ("www/index.html", "ok\n".into()),
                (
                    "lighttpd.conf",
                    format!(
                        "server.modules = (\"{module}\")\nserver.document-root = \"{{dir}}/www\"\n\
                         server.bind = \"127.0.0.1\"\nserver.port = {{port}}\nserver.errorlog = \"{{dir}}/error.log\"\n\
                         index-file.names = (\"index.html\")\nssl.engine = \"enable\"\n\
                         ssl.pemfile = \"{{pki}}/{certificate}.pem\"\nssl.privkey = \"{{pki}}/{certificate}.key\"\n{body}\n"
                    ),
                ),
            ],
            ..Launch::default()
        })
    }

    /// This machine's `openssl s_server`, answering HTTP.
    pub fn s_server(&self, certificate: &str, args: &str) -> Started {
        self.any_s_server("openssl", certificate, args, Vec::new())
    }

    /// `s_server` of OpenSSL 1.1.0i, with SSLv3 and RC4.
    pub fn old_s_server(&self, certificate: &str, args: &str) -> Started {
        let program = self.old_openssl()?;
        self.any_s_server(&program.to_string_lossy(), certificate, args, Vec::new())
    }

    /// `s_server` of a program that the environment names: of OpenSSL before 1.0.2, which nobody distributes any more.
    pub fn given_s_server(&self, variable: &str, certificate: &str, args: &str) -> Started {
        let program = std::env::var(variable).map_err(|_| StartError::Missing(format!("program that {variable} names")))?;
        self.launch(Launch {
            program: &program,
            args: words(&format!(
                "s_server -accept {{port}} -cert {{pki}}/{certificate}.leaf.pem -key {{pki}}/{certificate}.key -www {args}"
            )),
            env: vec![("OPENSSL_CONF", "/dev/null".into())],
            ..Launch::default()
        })
    }

    /// `s_server` in the place of a stunnel with this configuration, of OpenSSL 1.1.0i or of this machine's.
    pub fn s_server_as_stunnel(&self, is_old: bool, args: &str, configuration: &str) -> Started {
        let program = if is_old { self.old_openssl()?.to_string_lossy().into_owned() } else { "openssl".to_owned() };
        self.any_s_server(&program, "rsa", args, vec![("stunnel/stunnel.conf", configuration.to_owned())])
    }

    fn any_s_server(&self, program: &str, certificate: &str, args: &str, files: Vec<(&str, String)>) -> Started {
        self.launch(Launch {
            program,
            files,
            args: words(&format!(
                "s_server -accept 127.0.0.1:{{port}} -cert {{pki}}/{certificate}.leaf.pem \
                 -key {{pki}}/{certificate}.key -cert_chain {{pki}}/intermediate.pem -www {args}"
            )),
            // 1.1.0i was built without a place for a configuration of its own.
            env: if program == "openssl" { Vec::new() } else { vec![("OPENSSL_CONF", "/dev/null".into())] },
            ..Launch::default()
        })
    }

    /// The responder of this lab's authority (see [`crate::pki::Workshop::revocation`]) at the URL that certificates name.
    pub fn ocsp_responder(&self) -> Started {
        let port = fs::read_to_string(self.pki.join("ocsp.port")).map_err(StartError::of)?;
        self.launch(Launch {
            program: "openssl",
            args: words(
                "ocsp -port {port} -index {pki}/index.txt -CA {pki}/intermediate.pem -rsigner {pki}/intermediate.pem \
                 -rkey {pki}/intermediate.key -ndays 7 -ignore_err",
            ),
            port: Some(port.parse().map_err(StartError::of)?),
            // OpenSSL 3.0.19 never gets over a connection that ends without a word: it answers nobody any more.
            first_words: "GET / HTTP/1.0\r\n\r\n",
            ..Launch::default()
        })
    }

    /// `gnutls-serv`, answering HTTP. `args` are separated by blanks.
    pub fn gnutls_serv(&self, certificate: &str, args: &str) -> Started {
        self.launch(Launch {
            program: "gnutls-serv",
            args: words(&format!(
                "--http --port {{port}} --x509certfile {{pki}}/{certificate}.pem \
                 --x509keyfile {{pki}}/{certificate}.key {args}"
            )),
            ..Launch::default()
        })
    }

    /// stunnel before an echo; `body` stands inside its service section.
    pub fn stunnel(&self, certificate: &str, body: &str) -> Started {
        self.launch(Launch {
            program: "stunnel4",
            args: words("{dir}/stunnel.conf"),
            files: vec![(
                "stunnel.conf",
                format!(
                    "foreground = yes\npid =\n[lab]\naccept = 127.0.0.1:{{port}}\nexec = /bin/cat\n\
                     cert = {{pki}}/{certificate}.pem\nkey = {{pki}}/{certificate}.key\n{body}\n"
                ),
            )],
            ..Launch::default()
        })
    }

    /// Caddy (Go's TLS) for `good.example.test`; `tls` stands inside its `tls` block.
    pub fn caddy(&self, certificate: &str, tls: &str) -> Started {
        self.launch(Launch {
            program: "caddy",
            args: words("run --adapter caddyfile --config {dir}/Caddyfile"),
            files: vec![(
                "Caddyfile",
                format!(
                    "{{\n  admin off\n  auto_https off\n  storage file_system {{dir}}\n}}\n\
                     https://good.example.test:{{port}} {{\n  bind 127.0.0.1\n  \
                     tls {{pki}}/{certificate}.pem {{pki}}/{certificate}.key {{\n    {tls}\n  }}\n  respond \"ok\"\n}}\n"
                ),
            )],
            env: vec![("HOME", "{dir}".into()), ("XDG_CONFIG_HOME", "{dir}".into())],
            ..Launch::default()
        })
    }

    /// `selfserv`, the test server of NSS; needs `certutil` and `pk12util` beside it.
    pub fn nss_selfserv(&self, args: &str) -> Started {
        self.launch(Launch {
            program: "selfserv",
            args: words(&format!("-d sql:db -n server -p {{port}} {args}")),
            setup: "mkdir db && certutil -N -d sql:db --empty-password && \
                    pk12util -i {pki}/rsa.p12 -d sql:db -W changeit -K ''",
            ..Launch::default()
        })
    }
}

/// The words of a command line without quotes.
pub(crate) fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}
