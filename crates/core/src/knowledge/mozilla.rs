//! Mozilla's root store, as the crate `webpki-root-certs` carries it.

/// DER of the roots that Mozilla trusts for TLS servers.
pub fn mozilla_roots() -> impl ExactSizeIterator<Item = &'static [u8]> {
    webpki_root_certs::TLS_SERVER_ROOT_CERTS.iter().map(AsRef::as_ref)
}

#[cfg(test)]
mod tests {
    use x509_parser::prelude::{FromDer, X509Certificate};

    #[test]
    fn every_root_is_a_certificate() {
        assert!(super::mozilla_roots().len() > 100);
        assert!(super::mozilla_roots().all(|der| X509Certificate::from_der(der).is_ok_and(|(rest, _)| rest.is_empty())));
    }
}
