//! Reading a [`HelloSpec`] and turning one of its knobs at a time.

use super::encode::last_place;
use super::{ExtensionSpec, Fragment, HelloFormat, HelloSpec};
use crate::registry::{CipherSuite, ExtensionType, NamedGroup, ProtocolVersion, SignatureScheme, Sslv2CipherKind};

/// What makes sense only in a hello that offers TLS 1.3.
const ONLY_TLSV1_3: [ExtensionType; 6] = [
    ExtensionType::SUPPORTED_VERSIONS,
    ExtensionType::KEY_SHARE,
    ExtensionType::PSK_KEY_EXCHANGE_MODES,
    ExtensionType::PRE_SHARED_KEY,
    ExtensionType::EARLY_DATA,
    ExtensionType::COOKIE,
];

/// Reading.
impl HelloSpec {
    /// The first extension of this type.
    pub fn extension(&self, extension_type: ExtensionType) -> Option<&ExtensionSpec> {
        self.extensions.iter().flatten().find(|extension| extension.extension_type() == extension_type)
    }

    /// The versions in supported_versions, in their order and without GREASE. Without that extension
    /// just `legacy_version`: the highest that the client speaks; it says nothing of the lowest.
    pub fn offered_versions(&self) -> Vec<ProtocolVersion> {
        match self.extension(ExtensionType::SUPPORTED_VERSIONS) {
            Some(ExtensionSpec::SupportedVersions(versions)) => {
                versions.iter().copied().filter(|version| !version.is_grease()).collect()
            }
            _ => vec![self.legacy_version],
        }
    }

    /// The cipher suites, without GREASE and signalling values.
    pub fn real_suites(&self) -> Vec<CipherSuite> {
        self.cipher_suites.iter().copied().filter(|suite| !suite.is_grease() && !suite.is_signalling()).collect()
    }

    /// The groups in supported_groups, without GREASE; empty without the extension.
    pub fn groups(&self) -> Vec<NamedGroup> {
        match self.extension(ExtensionType::SUPPORTED_GROUPS) {
            Some(ExtensionSpec::SupportedGroups(groups)) => real_groups(groups),
            _ => Vec::new(),
        }
    }

    /// The groups that keys are sent for, without GREASE; empty without the extension.
    pub fn key_shares(&self) -> Vec<NamedGroup> {
        match self.extension(ExtensionType::KEY_SHARE) {
            Some(ExtensionSpec::KeyShare(groups)) => real_groups(groups),
            _ => Vec::new(),
        }
    }

    /// What signature_algorithms lists; `None` without the extension.
    pub fn signature_schemes(&self) -> Option<Vec<SignatureScheme>> {
        match self.extension(ExtensionType::SIGNATURE_ALGORITHMS) {
            Some(ExtensionSpec::SignatureAlgorithms(schemes)) => Some(schemes.clone()),
            _ => None,
        }
    }

    /// What ec_point_formats lists; empty without the extension.
    pub fn ec_point_formats(&self) -> &[u8] {
        match self.extension(ExtensionType::EC_POINT_FORMATS) {
            Some(ExtensionSpec::EcPointFormats(formats)) => formats,
            _ => &[],
        }
    }

    /// The application protocols offered; empty without the extension.
    pub fn alpn(&self) -> &[String] {
        match self.extension(ExtensionType::APPLICATION_LAYER_PROTOCOL_NEGOTIATION) {
            Some(ExtensionSpec::Alpn(protocols)) => protocols,
            _ => &[],
        }
    }

    /// The host name in server_name.
    pub fn server_name(&self) -> Option<&str> {
        match self.extension(ExtensionType::SERVER_NAME) {
            Some(ExtensionSpec::ServerName(name)) => Some(name),
            _ => None,
        }
    }

    /// Whether it signals secure renegotiation, by the extension or the SCSV (RFC 5746 §3.4).
    pub fn offers_renegotiation_info(&self) -> bool {
        self.extension(ExtensionType::RENEGOTIATION_INFO).is_some()
            || self.cipher_suites.contains(&CipherSuite::TLS_EMPTY_RENEGOTIATION_INFO_SCSV)
    }
}

/// Turning. Each knob changes what it names and what must follow from that, and keeps the order of the rest.
impl HelloSpec {
    /// With this name in server_name (added in front), or without the extension.
    #[must_use]
    pub fn with_server_name(mut self, name: Option<&str>) -> Self {
        let Some(name) = name else {
            return self.without(ExtensionType::SERVER_NAME);
        };
        let extension = ExtensionSpec::ServerName(name.to_owned());
        if self.extension(ExtensionType::SERVER_NAME).is_some() {
            return self.with_extension(extension);
        }
        let list = self.extensions.get_or_insert_default();
        let grease = list.iter().take_while(|extension| extension.extension_type().is_grease()).count();
        list.insert(grease, extension);
        self
    }

    /// Offers exactly these versions (an empty list changes nothing).
    ///
    /// With TLS 1.3: legacy_version TLS 1.2, supported_versions in descending order (GREASE in front is
    /// kept), psk_key_exchange_modes, a key share for the first group if there is none, a session id of
    /// 32 bytes. Without: legacy_version is the highest, nothing of TLS 1.3 is left, no session id. With
    /// SSLv3 alone there are no extensions. With SSLv2 the hello has the SSLv2 form, which has room for
    /// neither extensions nor TLS 1.3; with SSLv2 alone it offers no suite of TLS, and every cipher kind
    /// if it offered none.
    #[must_use]
    pub fn with_versions(mut self, versions: &[ProtocolVersion]) -> Self {
        let mut versions = versions.to_vec();
        versions.sort_unstable_by(|a, b| b.cmp(a));
        versions.dedup();
        if versions.contains(&ProtocolVersion::SSLV2) {
            return self.with_sslv2(&versions);
        }
        let Some(&highest) = versions.first() else {
            return self;
        };
        self.format = HelloFormat::Tls;
        self.record_version = ProtocolVersion::TLSV1_0;
        if highest >= ProtocolVersion::TLSV1_3 {
            self.legacy_version = ProtocolVersion::TLSV1_2;
            self.session_id_length = 32;
            return self.with_tlsv1_3(versions);
        }
        self.legacy_version = highest;
        self.session_id_length = 0;
        if highest == ProtocolVersion::SSLV3 {
            self.record_version = ProtocolVersion::SSLV3;
            self.extensions = None;
        }
        ONLY_TLSV1_3.into_iter().fold(self, HelloSpec::without)
    }

    fn with_sslv2(mut self, descending: &[ProtocolVersion]) -> Self {
        let possible = descending.iter().copied().find(|version| *version < ProtocolVersion::TLSV1_3);
        self.format = HelloFormat::Sslv2;
        self.legacy_version = possible.unwrap_or(ProtocolVersion::SSLV2);
        self.session_id_length = 0;
        self.extensions = None;
        if self.legacy_version == ProtocolVersion::SSLV2 {
            self.cipher_suites.clear();
            if self.sslv2_cipher_kinds.is_empty() {
                self.sslv2_cipher_kinds = Sslv2CipherKind::all().collect();
            }
        }
        self
    }

    fn with_tlsv1_3(mut self, descending: Vec<ProtocolVersion>) -> Self {
        let mut versions = match self.extension(ExtensionType::SUPPORTED_VERSIONS) {
            Some(ExtensionSpec::SupportedVersions(old)) => {
                old.iter().copied().take_while(|version| version.is_grease()).collect()
            }
            _ => Vec::new(),
        };
        versions.extend(descending);
        self = self.with_extension(ExtensionSpec::SupportedVersions(versions));
        if self.extension(ExtensionType::PSK_KEY_EXCHANGE_MODES).is_none() {
            self = self.with_extension(ExtensionSpec::PskKeyExchangeModes(vec![1]));
        }
        if self.extension(ExtensionType::KEY_SHARE).is_none()
            && let Some(&group) = self.groups().first()
        {
            self = self.with_extension(ExtensionSpec::KeyShare(vec![group]));
        }
        self
    }

    /// With these cipher suites, as on the wire.
    #[must_use]
    pub fn with_suites(mut self, suites: Vec<CipherSuite>) -> Self {
        self.cipher_suites = suites;
        self
    }

    /// With these in supported_groups and keys for those in key_share; without the extension where a list is empty.
    #[must_use]
    pub fn with_groups(self, groups: &[NamedGroup], key_shares: &[NamedGroup]) -> Self {
        self.with_or_without(!groups.is_empty(), ExtensionSpec::SupportedGroups(groups.to_vec()))
            .with_or_without(!key_shares.is_empty(), ExtensionSpec::KeyShare(key_shares.to_vec()))
    }

    /// With these in signature_algorithms; without the extension if there are none.
    #[must_use]
    pub fn with_signature_schemes(self, schemes: &[SignatureScheme]) -> Self {
        self.with_or_without(!schemes.is_empty(), ExtensionSpec::SignatureAlgorithms(schemes.to_vec()))
    }

    /// With these application protocols; without the extension if there are none.
    #[must_use]
    pub fn with_alpn(self, protocols: &[&str]) -> Self {
        let protocols: Vec<String> = protocols.iter().map(|protocol| (*protocol).to_owned()).collect();
        self.with_or_without(!protocols.is_empty(), ExtensionSpec::Alpn(protocols))
    }

    /// Without the extensions of this type. A hello that loses its last extension has no extension block.
    #[must_use]
    pub fn without(mut self, extension_type: ExtensionType) -> Self {
        if self.extension(extension_type).is_some() {
            let list = self.extensions.get_or_insert_default();
            list.retain(|extension| extension.extension_type() != extension_type);
            self.extensions = self.extensions.filter(|list| !list.is_empty());
        }
        self
    }

    /// With this extension in the place of the one of its type; a new one goes to the end, before padding and pre_shared_key.
    #[must_use]
    pub fn with_extension(mut self, extension: ExtensionSpec) -> Self {
        let list = self.extensions.get_or_insert_default();
        let same = |old: &&mut ExtensionSpec| old.extension_type() == extension.extension_type();
        match list.iter_mut().find(same) {
            Some(old) => *old = extension,
            None => list.insert(last_place(list), extension),
        }
        self
    }

    /// Padded to this length, see [`HelloSpec::pad_to`].
    #[must_use]
    pub fn with_pad_to(mut self, pad_to: Option<u16>) -> Self {
        self.pad_to = pad_to;
        self
    }

    /// Cut up so.
    #[must_use]
    pub fn with_fragment(mut self, fragment: Fragment) -> Self {
        self.fragment = fragment;
        self
    }

    /// The second ClientHello that answers a HelloRetryRequest (RFC 8446 §4.1.2): one key share, for
    /// the group that the server chose; its cookie; no early data, no resumption.
    #[must_use]
    pub fn after_retry(&self, group: Option<NamedGroup>, cookie: Option<&[u8]>) -> HelloSpec {
        let mut second = self.clone().without(ExtensionType::EARLY_DATA).without(ExtensionType::PRE_SHARED_KEY);
        if let Some(group) = group {
            second = second.with_extension(ExtensionSpec::KeyShare(vec![group]));
        }
        if let Some(cookie) = cookie {
            second = second.with_extension(ExtensionSpec::Cookie(cookie.to_vec()));
        }
        second
    }

    fn with_or_without(self, with: bool, extension: ExtensionSpec) -> Self {
        if with { self.with_extension(extension) } else { self.without(extension.extension_type()) }
    }
}

fn real_groups(groups: &[NamedGroup]) -> Vec<NamedGroup> {
    groups.iter().copied().filter(|group| !group.is_grease()).collect()
}
