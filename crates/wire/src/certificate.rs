//! Certificate, CertificateStatus, CertificateRequest and CertificateVerify.

use crate::located::{DecodeError, Located};
use crate::reader::Reader;
use crate::registry::{ExtensionType, ProtocolVersion, SignatureScheme};
use crate::server_hello::{Extension, extensions, find};

/// `status_type` ocsp (RFC 6066 §8).
const OCSP: u8 = 1;

/// The Certificate message (RFC 5246 §7.4.2, RFC 8446 §4.4.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateList {
    /// `certificate_request_context` of TLS 1.3, empty for servers.
    pub context: Vec<u8>,
    /// The certificates as sent, in DER.
    pub entries: Vec<Located<Vec<u8>>>,
    /// The extensions of each entry, in the order of `entries`; all empty before TLS 1.3.
    pub entry_extensions: Vec<Vec<Located<Extension>>>,
}

impl CertificateList {
    /// Reads the message without its 4-byte header, in the form that it has in `version`.
    pub fn parse(mut body: Reader<'_>, version: ProtocolVersion) -> Result<CertificateList, DecodeError> {
        let has_extensions = version >= ProtocolVersion::TLSV1_3;
        let context = if has_extensions { body.vector8("Certificate.context")?.rest().to_vec() } else { Vec::new() };
        let list = body.vector24("Certificate.certificate_list")?;
        body.finish("Certificate")?;
        let both = list.list(|entry| {
            let der = entry.vector24("Certificate.cert_data")?;
            let what = "CertificateEntry.extensions";
            let extensions = if has_extensions { extensions(entry, what)? } else { Vec::new() };
            Ok((Located::new(der.rest().to_vec(), der.span_of_rest()), extensions))
        })?;
        let (entries, entry_extensions) = both.into_iter().unzip();
        Ok(CertificateList { context, entries, entry_extensions })
    }

    /// The OCSP response (DER) that TLS 1.3 puts beside the entry (RFC 8446 §4.4.2.1).
    pub fn stapled_ocsp(&self, index: usize) -> Option<Vec<u8>> {
        let extension = find(self.entry_extensions.get(index)?, ExtensionType::STATUS_REQUEST)?;
        let status = CertificateStatus::parse(Reader::new(&extension.body, 0)).ok()?;
        (status.status_type == OCSP).then_some(status.response)
    }
}

/// CertificateStatus (RFC 6066 §8).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateStatus {
    /// 1 is OCSP.
    pub status_type: u8,
    /// For OCSP an OCSPResponse in DER.
    pub response: Vec<u8>,
}

impl CertificateStatus {
    /// Reads the message without its 4-byte header.
    pub fn parse(mut body: Reader<'_>) -> Result<CertificateStatus, DecodeError> {
        let status_type = body.u8("CertificateStatus.status_type")?;
        let response = body.vector24("CertificateStatus.response")?.rest().to_vec();
        body.finish("CertificateStatus")?;
        Ok(CertificateStatus { status_type, response })
    }
}

/// CertificateRequest (RFC 5246 §7.4.4, RFC 8446 §4.3.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateRequest {
    /// `certificate_request_context` of TLS 1.3.
    pub context: Vec<u8>,
    /// `certificate_types` up to TLS 1.2: 1 rsa_sign, 2 dss_sign, 64 ecdsa_sign …; empty in TLS 1.3.
    pub certificate_types: Vec<u8>,
    /// What the client may sign with; empty before TLS 1.2.
    pub signature_schemes: Vec<SignatureScheme>,
    /// Distinguished names in DER of the authorities that the server accepts; empty: any.
    pub authorities: Vec<Vec<u8>>,
}

impl CertificateRequest {
    /// Reads the message without its 4-byte header, in the form that it has in `version`.
    pub fn parse(mut body: Reader<'_>, version: ProtocolVersion) -> Result<CertificateRequest, DecodeError> {
        let request =
            if version >= ProtocolVersion::TLSV1_3 { since_tlsv1_3(&mut body)? } else { until_tlsv1_2(&mut body, version)? };
        body.finish("CertificateRequest")?;
        Ok(request)
    }
}

fn until_tlsv1_2(body: &mut Reader<'_>, version: ProtocolVersion) -> Result<CertificateRequest, DecodeError> {
    let certificate_types = body.vector8("CertificateRequest.certificate_types")?.rest().to_vec();
    let has_schemes = version >= ProtocolVersion::TLSV1_2;
    let signature_schemes = if has_schemes { schemes(body)? } else { Vec::new() };
    let authorities = names(body)?;
    Ok(CertificateRequest { context: Vec::new(), certificate_types, signature_schemes, authorities })
}

fn since_tlsv1_3(body: &mut Reader<'_>) -> Result<CertificateRequest, DecodeError> {
    let context = body.vector8("CertificateRequest.context")?.rest().to_vec();
    let extensions = extensions(body, "CertificateRequest.extensions")?;
    let place = |of| find(&extensions, of).map(|extension| Reader::new(&extension.body, extension.body.span.start));
    let signature_schemes = place(ExtensionType::SIGNATURE_ALGORITHMS).map(|mut r| schemes(&mut r)).transpose()?;
    let authorities = place(ExtensionType::CERTIFICATE_AUTHORITIES).map(|mut r| names(&mut r)).transpose()?;
    Ok(CertificateRequest {
        context,
        certificate_types: Vec::new(),
        signature_schemes: signature_schemes.unwrap_or_default(),
        authorities: authorities.unwrap_or_default(),
    })
}

fn schemes(reader: &mut Reader<'_>) -> Result<Vec<SignatureScheme>, DecodeError> {
    let what = "CertificateRequest.supported_signature_algorithms";
    reader.vector16(what)?.list(|list| Ok(SignatureScheme(list.u16(what)?)))
}

fn names(reader: &mut Reader<'_>) -> Result<Vec<Vec<u8>>, DecodeError> {
    let what = "CertificateRequest.certificate_authorities";
    reader.vector16(what)?.list(|list| Ok(list.vector16(what)?.rest().to_vec()))
}

/// CertificateVerify since TLS 1.2 (RFC 5246 §7.4.8, RFC 8446 §4.4.3).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CertificateVerify {
    /// What it is signed with.
    pub signature_scheme: Located<SignatureScheme>,
    /// The signature.
    pub signature: Vec<u8>,
}

impl CertificateVerify {
    /// Reads the message without its 4-byte header.
    pub fn parse(mut body: Reader<'_>) -> Result<CertificateVerify, DecodeError> {
        let signature_scheme = body.located(|r| r.u16("CertificateVerify.algorithm"))?.map(SignatureScheme);
        let signature = body.vector16("CertificateVerify.signature")?.rest().to_vec();
        body.finish("CertificateVerify")?;
        Ok(CertificateVerify { signature_scheme, signature })
    }
}
