//! Alerts.

use super::registry;

registry! {
    /// How bad an alert is. In TLS 1.3 the field is there, but only the description counts.
    AlertLevel(u8), 8 bits;
    WARNING = 1, "warning", "RFC 8446";
    FATAL = 2, "fatal", "RFC 8446";
}

/// The rows of alert descriptions with their meaning, one sentence each.
macro_rules! alerts {
    ( $( $constant:ident = $code:literal, $name:literal, $reference:literal, $meaning:literal; )* ) => {
        registry! {
            /// What an alert says.
            AlertDescription(u8), 8 bits;
            $( $constant = $code, $name, $reference; )*
        }

        impl AlertDescription {
            /// What its sender says with it, one plain sentence.
            pub fn meaning(self) -> Option<&'static str> {
                match self.0 {
                    $( $code => Some($meaning), )*
                    _ => None,
                }
            }
        }
    };
}

alerts! {
    CLOSE_NOTIFY = 0, "close_notify", "RFC 8446", "The sender will send nothing more on this connection.";
    END_OF_EARLY_DATA = 1, "end_of_early_data", "draft-ietf-tls-tls13-18", "The client will send no more early data (drafts of TLS 1.3 only).";
    UNEXPECTED_MESSAGE = 10, "unexpected_message", "RFC 8446", "A message came that has no place at this point of the handshake.";
    BAD_RECORD_MAC = 20, "bad_record_mac", "RFC 8446", "A record could not be decrypted or its integrity check failed.";
    DECRYPTION_FAILED = 21, "decryption_failed", "RFC 2246", "A record could not be decrypted.";
    RECORD_OVERFLOW = 22, "record_overflow", "RFC 8446", "A record was longer than allowed.";
    DECOMPRESSION_FAILURE = 30, "decompression_failure", "RFC 5246", "Compressed data could not be decompressed.";
    HANDSHAKE_FAILURE = 40, "handshake_failure", "RFC 8446", "No acceptable set of security parameters could be negotiated with what was offered.";
    NO_CERTIFICATE = 41, "no_certificate", "RFC 6101", "No certificate is available for the certificate request.";
    BAD_CERTIFICATE = 42, "bad_certificate", "RFC 8446", "A certificate was corrupt or its signature did not verify.";
    UNSUPPORTED_CERTIFICATE = 43, "unsupported_certificate", "RFC 8446", "A certificate was of a kind that is not supported.";
    CERTIFICATE_REVOKED = 44, "certificate_revoked", "RFC 8446", "A certificate was revoked by its issuer.";
    CERTIFICATE_EXPIRED = 45, "certificate_expired", "RFC 8446", "A certificate has expired or is not valid yet.";
    CERTIFICATE_UNKNOWN = 46, "certificate_unknown", "RFC 8446", "A certificate was not acceptable for a reason that no other alert names.";
    ILLEGAL_PARAMETER = 47, "illegal_parameter", "RFC 8446", "A field of the handshake held a value that is out of range or contradicts another field.";
    UNKNOWN_CA = 48, "unknown_ca", "RFC 8446", "The certificate chain leads to no certificate authority that the sender trusts.";
    ACCESS_DENIED = 49, "access_denied", "RFC 8446", "The certificate is valid, but access control forbids to go on.";
    DECODE_ERROR = 50, "decode_error", "RFC 8446", "A message could not be decoded because a field or length in it is wrong.";
    DECRYPT_ERROR = 51, "decrypt_error", "RFC 8446", "A cryptographic operation of the handshake failed, such as a signature or the Finished check.";
    TOO_MANY_CIDS_REQUESTED = 52, "too_many_cids_requested", "RFC 9147", "More connection ids were requested than the sender will give (DTLS only).";
    EXPORT_RESTRICTION = 60, "export_restriction", "RFC 2246", "The negotiation broke the export rules of the 1990s.";
    PROTOCOL_VERSION = 70, "protocol_version", "RFC 8446", "The protocol version that was offered is known, but not supported.";
    INSUFFICIENT_SECURITY = 71, "insufficient_security", "RFC 8446", "The sender requires stronger parameters than the ones that were offered.";
    INTERNAL_ERROR = 80, "internal_error", "RFC 8446", "An error inside the sender, not caused by its peer, makes it impossible to go on.";
    INAPPROPRIATE_FALLBACK = 86, "inappropriate_fallback", "RFC 7507", "The client retried with a lower version although the server supports a higher one.";
    USER_CANCELED = 90, "user_canceled", "RFC 8446", "The handshake was cancelled for a reason outside the protocol.";
    NO_RENEGOTIATION = 100, "no_renegotiation", "RFC 5246", "The sender refuses to renegotiate.";
    MISSING_EXTENSION = 109, "missing_extension", "RFC 8446", "A message lacked an extension that the offered parameters require.";
    UNSUPPORTED_EXTENSION = 110, "unsupported_extension", "RFC 8446", "A message held an extension that is forbidden there or was not offered.";
    CERTIFICATE_UNOBTAINABLE = 111, "certificate_unobtainable", "RFC 6066", "A certificate could not be fetched from the URL that was sent instead of it.";
    UNRECOGNIZED_NAME = 112, "unrecognized_name", "RFC 6066", "The server knows no site with the name in the server_name extension.";
    BAD_CERTIFICATE_STATUS_RESPONSE = 113, "bad_certificate_status_response", "RFC 6066", "The stapled OCSP response was invalid or not acceptable.";
    BAD_CERTIFICATE_HASH_VALUE = 114, "bad_certificate_hash_value", "RFC 6066", "A certificate that was fetched from a URL did not match its hash.";
    UNKNOWN_PSK_IDENTITY = 115, "unknown_psk_identity", "RFC 4279", "No acceptable pre-shared key identity was offered.";
    CERTIFICATE_REQUIRED = 116, "certificate_required", "RFC 8446", "The server requires a client certificate and received none.";
    GENERAL_ERROR = 117, "general_error", "RFC 9846", "An error came up that no other alert describes.";
    NO_APPLICATION_PROTOCOL = 120, "no_application_protocol", "RFC 7301", "The client's ALPN list holds no protocol that the server supports.";
    ECH_REQUIRED = 121, "ech_required", "RFC 9849", "The client offered Encrypted Client Hello and the server did not accept it.";
}
