//! Fixes of PostgreSQL, MariaDB, stunnel, HAProxy, lighttpd and Tomcat, each taken up in the way that its program has.

use super::{End, Fix, NAME, NGINX, Started, words};
use crate::server::{Lab, Launch, StartError, find_program, is_root, shell};

/// Every fix.
pub const SERVERS: &[Fix] = &[
    POSTGRESQL,
    Fix {
        id: "postgresql-that-is-not-reloaded",
        args: &[
            "--starttls",
            "postgres",
            "--assume",
            "postgresql=15.18",
            "--check-command",
            "{dir}/check",
            "--reload-command",
            "true",
        ],
        end: End::RolledBack,
        ..POSTGRESQL
    },
    MARIADB,
    Fix {
        // FLUSH SSL reads certificates again, and no option file.
        id: "mariadb-that-is-not-restarted",
        args: &[
            "--starttls",
            "mysql",
            "--assume",
            "mariadb=10.11.19",
            "--assume",
            "openssl=3.0.19",
            "--reload-command",
            "{dir}/flush",
        ],
        end: End::RolledBack,
        ..MARIADB
    },
    STUNNEL,
    Fix {
        id: "stunnel-that-is-not-reloaded",
        args: &["--assume", "stunnel=5.68", "--assume", "openssl=3.0.19", "--reload-command", "true"],
        end: End::RolledBack,
        ..STUNNEL
    },
    HAPROXY,
    Fix {
        id: "haproxy-that-does-not-validate",
        args: &[
            "--assume",
            "haproxy=2.6.12",
            "--assume",
            "openssl=3.0.19",
            "--check-command",
            "false",
            "--reload-command",
            "{dir}/reload",
        ],
        end: End::RolledBack,
        ..HAPROXY
    },
    LIGHTTPD,
    Fix {
        id: "lighttpd-that-is-not-reloaded",
        args: &["--assume", "lighttpd=1.4.69", "--assume", "openssl=3.0.19", "--reload-command", "true"],
        end: End::RolledBack,
        ..LIGHTTPD
    },
    TOMCAT,
];

const POSTGRESQL: Fix = Fix {
    id: "postgresql-outdated-versions",
    start: postgresql,
    main: "data/postgresql.conf",
    edited: "data/postgresql.conf",
    args: &[
        "--starttls",
        "postgres",
        "--assume",
        "postgresql=15.18",
        "--assume",
        "openssl=3.0.19",
        // Both must run as the server's account.
        "--check-command",
        "{dir}/check",
        "--reload-command",
        "{dir}/reload",
    ],
    like: "-starttls postgres",
    ..NGINX
};

fn postgresql(lab: &Lab) -> Started {
    let settings = "# of old\nssl_min_protocol_version = 'TLSv1'\nssl_max_protocol_version = 'TLSv1.1' # ours\n\
                    ssl_ciphers = 'ALL:@SECLEVEL=0'";
    let control = find_program("pg_ctl").ok_or_else(|| StartError::Missing("pg_ctl".into()))?;
    let server = lab.postgres("rsa", settings)?;
    let dir = server.dir().display().to_string();
    let account = if is_root() { "setpriv --reuid=postgres --clear-groups" } else { "" };
    shell(&format!(
        "cd '{dir}' && printf '#!/bin/sh\\nexec {account} postgres -C ssl_min_protocol_version -D {dir}/data\\n' >check && \
         printf '#!/bin/sh\\nexec {account} {} reload -D {dir}/data\\n' >reload && chmod 755 check reload",
        control.display()
    ))?;
    Ok(server)
}

const MARIADB: Fix = Fix {
    id: "mariadb-outdated-versions",
    start: mariadb,
    main: "my.cnf",
    edited: "my.cnf",
    // Its own validation; versions are taken up by a restart alone.
    args: &[
        "--starttls",
        "mysql",
        "--assume",
        "mariadb=10.11.19",
        "--assume",
        "openssl=3.0.19",
        "--reload-command",
        "{dir}/restart",
    ],
    like: "-starttls mysql",
    ..NGINX
};

fn mariadb(lab: &Lab) -> Started {
    let account = if is_root() { "setpriv --reuid=nobody --clear-groups" } else { "" };
    let restart = format!(
        "#!/bin/bash\ncd {{dir}} || exit 1\nkill \"$(cat pid)\"\nwhile [ -e pid ]; do sleep 0.1; done\n\
         setsid {account} mariadbd --defaults-file={{dir}}/my.cnf >again.log 2>&1 </dev/null &\n\
         for turn in $(seq 300); do (exec 3<>/dev/tcp/127.0.0.1/{{port}}) 2>/dev/null && exit 0; sleep 0.1; done\nexit 1\n"
    );
    lab.launch(Launch {
        program: "mariadbd",
        args: words("--defaults-file={dir}/my.cnf"),
        files: vec![
            (
                "my.cnf",
                "[client-server]\nport = {port}\n[mysqld]\n# of old\ntls_version = TLSv1.0,TLSv1.1 # ours\nssl_cipher = ALL:@SECLEVEL=0\n\
                 datadir = {dir}/data\nsocket = {dir}/socket\npid-file = {dir}/pid\nbind-address = 127.0.0.1\n\
                 skip-networking = 0\nskip-grant-tables\ninnodb = OFF\ndefault-storage-engine = Aria\nskip-log-bin\n\
                 ssl_cert = {dir}/rsa.pem\nssl_key = {dir}/rsa.key\n"
                    .to_owned(),
            ),
            ("restart", restart),
            ("flush", "#!/bin/sh\nexec mariadb --no-defaults --socket={dir}/socket -e 'FLUSH SSL'\n".to_owned()),
        ],
        setup: "mkdir data && cp '{pki}/rsa.pem' '{pki}/rsa.key' . && chmod 755 restart flush",
        user: is_root().then_some("nobody"),
        ..Launch::default()
    })
}

const STUNNEL: Fix = Fix {
    id: "stunnel-outdated-versions",
    start: stunnel,
    main: "stunnel.conf",
    edited: "stunnel.conf",
    // It has no validation of its own.
    args: &["--assume", "stunnel=5.68", "--assume", "openssl=3.0.19", "--reload-command", "{dir}/reload"],
    ..NGINX
};

fn stunnel(lab: &Lab) -> Started {
    lab.launch(Launch {
        program: "stunnel4",
        args: words("{dir}/stunnel.conf"),
        files: vec![
            (
                "stunnel.conf",
                "foreground = yes\npid = {dir}/pid\nsslVersionMin = TLSv1\n# of old\n[lab]\naccept = 127.0.0.1:{port}\n\
                 exec = /bin/cat\ncert = {dir}/rsa.pem\nkey = {dir}/rsa.key\nsslVersionMax = TLSv1.1\n\
                 ciphers = ALL:@SECLEVEL=0\nsecurityLevel = 0\n"
                    .to_owned(),
            ),
            ("reload", "#!/bin/sh\nkill -HUP \"$(cat {dir}/pid)\"\n".to_owned()),
        ],
        setup: "cp '{pki}/rsa.pem' '{pki}/rsa.key' . && chmod 755 reload",
        ..Launch::default()
    })
}

const HAPROXY: Fix = Fix {
    id: "haproxy-outdated-versions",
    start: haproxy,
    main: "haproxy.cfg",
    edited: "haproxy.cfg",
    args: &["--assume", "haproxy=2.6.12", "--assume", "openssl=3.0.19", "--reload-command", "{dir}/reload"],
    ..NGINX
};

/// With a master, which starts new workers.
fn haproxy(lab: &Lab) -> Started {
    lab.launch(Launch {
        program: "haproxy",
        args: words("-W -p {dir}/pid -f {dir}/haproxy.cfg"),
        files: vec![
            (
                "haproxy.cfg",
                "global\n  ssl-default-bind-options ssl-min-ver TLSv1.0\ndefaults\n  mode http\n  timeout client 20s\n  \
                 timeout server 20s\n  timeout connect 5s\nfrontend lab\n  # of old\n  bind 127.0.0.1:{port} ssl crt {dir}/both.pem \
                 ssl-max-ver TLSv1.1 ciphers ALL:@SECLEVEL=0 # ours\n  \
                 http-request return status 200 content-type text/plain string ok\n"
                    .to_owned(),
            ),
            ("reload", "#!/bin/sh\nkill -USR2 \"$(cat {dir}/pid)\"\n".to_owned()),
        ],
        setup: "cat '{pki}/rsa.pem' '{pki}/rsa.key' >both.pem && chmod 755 reload",
        ..Launch::default()
    })
}

const LIGHTTPD: Fix = Fix {
    id: "lighttpd-outdated-versions",
    start: lighttpd,
    main: "lighttpd.conf",
    edited: "lighttpd.conf",
    args: &["--assume", "lighttpd=1.4.69", "--assume", "openssl=3.0.19", "--reload-command", "{dir}/reload"],
    ..NGINX
};

fn lighttpd(lab: &Lab) -> Started {
    lab.launch(Launch {
        program: "lighttpd",
        args: words("-D -f {dir}/lighttpd.conf"),
        files: vec![
            ("www/index.html", "ok\n".to_owned()),
            (
                "lighttpd.conf",
                format!(
                    "server.modules = (\"mod_openssl\")\nserver.document-root = \"{{dir}}/www\"\nserver.bind = \"127.0.0.1\"\n\
                     server.port = {{port}}\nserver.errorlog = \"{{dir}}/error.log\"\nserver.pid-file = \"{{dir}}/pid\"\n\
                     index-file.names = (\"index.html\")\nserver.name = \"{NAME}\"\nssl.engine = \"enable\"\n\
                     ssl.pemfile = \"{{dir}}/rsa.pem\"\nssl.privkey = \"{{dir}}/rsa.key\"\n# of old\n\
                     ssl.openssl.ssl-conf-cmd = (\"MinProtocol\" => \"TLSv1\", \"MaxProtocol\" => \"TLSv1.1\",\n  \
                     \"CipherString\" => \"ALL:@SECLEVEL=0\") # ours\n"
                ),
            ),
            ("reload", "#!/bin/sh\nkill -USR1 \"$(cat {dir}/pid)\"\n".to_owned()),
        ],
        setup: "cp '{pki}/rsa.pem' '{pki}/rsa.key' . && chmod 755 reload",
        ..Launch::default()
    })
}

const TOMCAT: Fix = Fix {
    id: "tomcat-too-new-for-a-client",
    start: tomcat,
    main: "conf/server.xml",
    edited: "conf/server.xml",
    // It has no validation of its own, and reads the file when it starts.
    args: &["--client", "java-8u161", "--assume", "tomcat=10.1.60", "--reload-command", "{dir}/restart"],
    like: "-tls1_2",
    ..NGINX
};

fn tomcat(lab: &Lab) -> Started {
    const JARS: &str = "/usr/share/java/tomcat10-catalina.jar";
    if !std::path::Path::new(JARS).exists() {
        return Err(StartError::Missing(JARS.to_owned()));
    }
    find_program("java").ok_or_else(|| StartError::Missing("java".into()))?;
    // A start takes seconds, and whoever starts it anew waits until it listens. Its end shows at the port: the process itself stays, until
    // the one that started it asks for it.
    let start =
        "exec java -cp '{dir}/lib/*' -Dcatalina.base={dir} -Dcatalina.home={dir} org.apache.catalina.startup.Bootstrap start";
    let restart = "#!/bin/bash\ncd {dir} || exit 1\nkill \"$(cat pid)\"\n\
         while (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; do sleep 0.1; done\n\
         setsid ./start >again.log 2>&1 </dev/null &\n\
         for turn in $(seq 600); do (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null && exit 0; sleep 0.1; done\nexit 1\n"
        .to_owned();
    lab.launch(Launch {
        program: "bash",
        args: words("{dir}/start"),
        files: vec![
            ("start", format!("#!/bin/bash\ncd {{dir}} || exit 1\necho $$ >pid\n{start}\n")),
            ("restart", restart),
            (
                "conf/server.xml",
                "<?xml version='1.0'?>\n<Server port='-1'>\n<Service name='Catalina'>\n<!-- # of late -->\n\
                 <Connector port='{port}' address='127.0.0.1' SSLEnabled='true'>\n<SSLHostConfig protocols='TLSv1.3'>\n\
                 <Certificate certificateFile='{dir}/rsa.pem' certificateKeyFile='{dir}/rsa.key'/>\n</SSLHostConfig>\n</Connector>\n\
                 <Engine name='Catalina' defaultHost='localhost'><Host name='localhost' appBase='webapps'/></Engine>\n</Service>\n</Server>\n"
                    .to_owned(),
            ),
        ],
        setup: "mkdir -p lib logs temp webapps && ln -s /usr/share/java/tomcat10-*.jar lib/ && chmod 755 start restart && \
                cp '{pki}/rsa.pem' '{pki}/rsa.key' .",
        ..Launch::default()
    })
}
