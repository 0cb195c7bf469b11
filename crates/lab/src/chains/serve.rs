//! The chains on loopback: one nginx, one port a chain, which sends exactly the listed certificates.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::cases::{self, Case};
use super::certificate::Workshop;
use super::der::pem;
use crate::server::{Lab, Launch, Server, StartError, free_port};

/// Every chain, served.
#[derive(Debug)]
pub struct Chains {
    /// The chains.
    pub cases: Vec<Case>,
    ports: BTreeMap<&'static str, u16>,
    dir: TempDir,
    server: Option<Server>,
}

impl Chains {
    /// Makes the chains and serves none of them.
    ///
    /// # Errors
    /// `openssl` is not there or a file cannot be written.
    pub fn made() -> Result<Chains, StartError> {
        Chains::make(free_port())
    }

    fn make(files_port: u16) -> Result<Chains, StartError> {
        let dir = tempfile::Builder::new().prefix("tlswhy-chains-").tempdir().map_err(StartError::of)?;
        let mut shop = Workshop::new(dir.path()).map_err(StartError::of)?;
        let cases = cases::all(&mut shop, &format!("http://127.0.0.1:{files_port}")).map_err(StartError::of)?;
        let chains = Chains { cases, ports: BTreeMap::new(), dir, server: None };
        for case in &chains.cases {
            let join = |certificates: &[Vec<u8>]| certificates.iter().map(|der| pem(der)).collect::<String>();
            let write = |extension: &str, bytes: &[u8]| {
                fs::write(chains.dir.path().join(format!("{}.{extension}", case.id)), bytes).map_err(StartError::of)
            };
            write("pem", join(&case.sent).as_bytes())?;
            write("anchors.pem", join(&case.anchors).as_bytes())?;
            write("key", &fs::read(shop.key_file(case.key)).map_err(StartError::of)?)?;
            if let Some(der) = &case.elsewhere {
                write("der", der)?;
            }
            if let Some(response) = &case.staple {
                write("ocsp", response)?;
            }
        }
        Ok(chains)
    }

    /// Makes the chains and serves them.
    ///
    /// # Errors
    /// A program is not there, or nginx does not start.
    pub fn served(lab: &Lab) -> Result<Chains, StartError> {
        let files_port = free_port();
        let mut chains = Chains::make(files_port)?;
        let dir = chains.dir.path().display().to_string();
        let mut servers = format!("server {{ listen 127.0.0.1:{files_port}; root {dir}; }}\n");
        servers += "server { listen 127.0.0.1:{port}; return 204; }\n";
        for case in &chains.cases {
            let port = free_port();
            chains.ports.insert(case.id, port);
            let staple = match &case.staple {
                Some(_) => format!("ssl_stapling on; ssl_stapling_file {dir}/{}.ocsp;", case.id),
                None => String::new(),
            };
            servers += &format!(
                "server {{ listen 127.0.0.1:{port} ssl; ssl_certificate {dir}/{id}.pem; ssl_certificate_key {dir}/{id}.key;
                 ssl_protocols TLSv1.2 TLSv1.3; ssl_ciphers ALL:@SECLEVEL=0; ssl_session_tickets off; {staple}
                 location / {{ return 200 'ok\\n'; }} }}\n",
                id = case.id
            );
        }
        let server = lab.launch(Launch {
            program: "nginx",
            args: ["-e", "{dir}/error.log", "-c", "{dir}/nginx.conf"].map(String::from).to_vec(),
            files: vec![(
                "nginx.conf",
                format!(
                    "daemon off; master_process off; pid {{dir}}/nginx.pid; error_log {{dir}}/error.log info;
                     events {{ worker_connections 1024; }}
                     http {{ access_log off; client_body_temp_path {{dir}}/t1; proxy_temp_path {{dir}}/t2;
                     fastcgi_temp_path {{dir}}/t3; uwsgi_temp_path {{dir}}/t4; scgi_temp_path {{dir}}/t5; {servers} }}\n"
                ),
            )],
            ..Launch::default()
        })?;
        chains.server = Some(server);
        Ok(chains)
    }

    /// Where all files lie.
    pub fn dir(&self) -> &Path {
        self.dir.path()
    }

    /// The file of the anchors of a case.
    pub fn anchors(&self, case: &Case) -> PathBuf {
        self.dir.path().join(format!("{}.anchors.pem", case.id))
    }

    /// The port of a case; 0 where nothing is served.
    pub fn port(&self, case: &Case) -> u16 {
        self.ports.get(case.id).copied().unwrap_or(0)
    }

    /// What the drivers read: a line a case with its name, host, port and anchors.
    pub(super) fn tasks(&self) -> String {
        let line = |case: &Case| format!("{}\t{}\t{}\t{}\n", case.id, case.host, self.port(case), self.anchors(case).display());
        self.cases.iter().map(line).collect()
    }
}
