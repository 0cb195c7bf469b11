//! The hellos of a measurement: those that everything starts from, and what came back for one.

use tlswhy_core::knowledge::controls;
use tlswhy_model::{Attempt, Ending};
use tlswhy_wire::{
    Alert, CertificateRequest, CipherSuite, HelloSpec, KeyExchangeParams, NamedGroup, ProtocolVersion, ServerHello, Transcript,
};

/// The versions that are tried, newest first.
pub(super) const VERSIONS: [ProtocolVersion; 5] = [
    ProtocolVersion::TLSV1_3,
    ProtocolVersion::TLSV1_2,
    ProtocolVersion::TLSV1_1,
    ProtocolVersion::TLSV1_0,
    ProtocolVersion::SSLV3,
];

/// A hello that offers everything at this version and nothing at another.
pub(super) fn everything(version: ProtocolVersion, name: Option<&str>) -> HelloSpec {
    match version {
        ProtocolVersion::TLSV1_3 => controls::tls13(name),
        ProtocolVersion::TLSV1_2 => controls::tls12(name),
        ProtocolVersion::TLSV1_1 => controls::tls11(name),
        ProtocolVersion::TLSV1_0 => controls::tls10(name),
        _ => controls::ssl3(),
    }
}

/// What one hello brought.
#[derive(Clone, Debug)]
pub(super) struct Reply {
    attempt: Attempt,
    clear: Transcript,
    sealed: Transcript,
}

impl Reply {
    pub(super) fn of(attempt: Attempt) -> Reply {
        let clear = Transcript::of_server(&attempt.received);
        let sealed = match &attempt.decrypted {
            Some(bytes) => Transcript::of_decrypted(bytes, ProtocolVersion::TLSV1_3),
            None => Transcript::default(),
        };
        Reply { attempt, clear, sealed }
    }

    /// What the server chose, be it in a HelloRetryRequest.
    pub(super) fn choice(&self) -> Option<&ServerHello> {
        self.clear.hello_retry_request().or(self.clear.server_hello()).map(|hello| &hello.value)
    }

    /// Whether it agreed to this version and went on with the handshake.
    pub(super) fn agreed(&self, version: ProtocolVersion) -> bool {
        let well = matches!(self.attempt.ending, Ending::Answered | Ending::Completed | Ending::NotCarriedFurther { .. });
        well && self.choice().is_some_and(|hello| *hello.selected_version == version)
    }

    /// The suite, if the server went on with it.
    pub(super) fn suite(&self) -> Option<CipherSuite> {
        let version = *self.choice()?.selected_version;
        self.agreed(version).then(|| self.choice().map(|hello| *hello.cipher_suite)).flatten()
    }

    /// The group: asked for or chosen in TLS 1.3, sent with the key below it.
    pub(super) fn group(&self) -> Option<NamedGroup> {
        let exchange = self.clear.server_key_exchange().map(|exchange| &exchange.params);
        match exchange {
            Some(KeyExchangeParams::Ecdhe { group, .. }) => Some(*group),
            _ => self.choice()?.selected_group(),
        }
    }

    /// The certificates in DER.
    pub(super) fn certificates(&self) -> Vec<Vec<u8>> {
        let list = self.clear.certificate().or(self.sealed.certificate());
        list.into_iter().flat_map(|list| &list.entries).map(|entry| entry.value.clone()).collect()
    }

    /// Whether the certificates, and what may stand beside them, came to be read.
    pub(super) fn shows_flight(&self) -> bool {
        self.clear.certificate().is_some() || self.sealed.certificate().is_some()
    }

    /// The request for a client certificate.
    pub(super) fn request(&self) -> Option<&CertificateRequest> {
        self.clear.certificate_request().or(self.sealed.certificate_request()).map(|request| &request.value)
    }

    /// The application protocol.
    pub(super) fn alpn(&self) -> Option<String> {
        let sealed = self.sealed.encrypted_extensions().and_then(|extensions| extensions.alpn());
        sealed.or_else(|| self.clear.server_hello()?.alpn())
    }

    /// The alert that ended it.
    pub(super) fn alert(&self) -> Option<Alert> {
        match &self.attempt.ending {
            Ending::Alert { level, description, .. } => Some(Alert { level: *level, description: *description }),
            _ => None,
        }
    }

    /// What was said in plain text where TLS was expected.
    pub(super) fn not_tls(&self) -> Option<String> {
        match &self.attempt.ending {
            Ending::NotTls { protocol, detail, .. } => Some(format!("{}: {detail}", protocol.as_deref().unwrap_or("unknown"))),
            Ending::UpgradeRefused { reason } => Some(format!("upgrade refused: {reason}")),
            _ => None,
        }
    }

    /// The ending in words, for the table.
    pub(super) fn ending(&self) -> String {
        match &self.attempt.ending {
            Ending::Alert { description, .. } => format!("alert {description}"),
            other => format!("{other:?}"),
        }
    }

    /// Whether nobody listens there.
    pub(super) fn is_closed_port(&self) -> bool {
        matches!(self.attempt.ending, Ending::Refused)
    }
}
