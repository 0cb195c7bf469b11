//! rustls with its own verifier (webpki), in this process.

use std::collections::BTreeMap;
use std::net::TcpStream;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore};

use super::{Case, Chains, Outcome};

pub(super) fn run(chains: &Chains) -> BTreeMap<String, Outcome> {
    let one = |case: &Case| match connect(chains, case) {
        Ok(()) => Outcome { accepts: true, text: String::new() },
        Err(error) => Outcome { accepts: false, text: error.to_string().chars().take(300).collect() },
    };
    chains.cases.iter().map(|case| (case.id.to_owned(), one(case))).collect()
}

fn connect(chains: &Chains, case: &Case) -> Result<(), Box<dyn std::error::Error>> {
    let mut roots = RootCertStore::empty();
    for anchor in CertificateDer::pem_file_iter(chains.anchors(case))? {
        roots.add(anchor?)?;
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions()?;
    let config = config.with_root_certificates(roots).with_no_client_auth();
    let mut connection = ClientConnection::new(Arc::new(config), ServerName::try_from(case.host)?)?;
    let mut socket = TcpStream::connect(("127.0.0.1", chains.port(case)))?;
    while connection.is_handshaking() {
        connection.complete_io(&mut socket)?;
    }
    Ok(())
}
