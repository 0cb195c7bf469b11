//! Extension types.

use super::registry;

registry! {
    /// The type of an extension.
    ExtensionType(u16), 16 bits;
    SERVER_NAME = 0, "server_name", "RFC 6066";
    MAX_FRAGMENT_LENGTH = 1, "max_fragment_length", "RFC 6066";
    STATUS_REQUEST = 5, "status_request", "RFC 6066";
    SUPPORTED_GROUPS = 10, "supported_groups", "RFC 8446";
    EC_POINT_FORMATS = 11, "ec_point_formats", "RFC 8422";
    SIGNATURE_ALGORITHMS = 13, "signature_algorithms", "RFC 8446";
    HEARTBEAT = 15, "heartbeat", "RFC 6520";
    APPLICATION_LAYER_PROTOCOL_NEGOTIATION = 16, "application_layer_protocol_negotiation", "RFC 7301";
    STATUS_REQUEST_V2 = 17, "status_request_v2", "RFC 6961";
    SIGNED_CERTIFICATE_TIMESTAMP = 18, "signed_certificate_timestamp", "RFC 6962";
    PADDING = 21, "padding", "RFC 7685";
    ENCRYPT_THEN_MAC = 22, "encrypt_then_mac", "RFC 7366";
    EXTENDED_MASTER_SECRET = 23, "extended_master_secret" => "extended_main_secret", "RFC 7627";
    COMPRESS_CERTIFICATE = 27, "compress_certificate", "RFC 8879";
    RECORD_SIZE_LIMIT = 28, "record_size_limit", "RFC 8449";
    SESSION_TICKET = 35, "session_ticket", "RFC 5077";
    PRE_SHARED_KEY = 41, "pre_shared_key", "RFC 8446";
    EARLY_DATA = 42, "early_data", "RFC 8446";
    SUPPORTED_VERSIONS = 43, "supported_versions", "RFC 8446";
    COOKIE = 44, "cookie", "RFC 8446";
    PSK_KEY_EXCHANGE_MODES = 45, "psk_key_exchange_modes", "RFC 8446";
    CERTIFICATE_AUTHORITIES = 47, "certificate_authorities", "RFC 8446";
    OID_FILTERS = 48, "oid_filters", "RFC 8446";
    POST_HANDSHAKE_AUTH = 49, "post_handshake_auth", "RFC 8446";
    SIGNATURE_ALGORITHMS_CERT = 50, "signature_algorithms_cert", "RFC 8446";
    KEY_SHARE = 51, "key_share", "RFC 8446";
    NEXT_PROTOCOL_NEGOTIATION = 13172, "next_protocol_negotiation", "draft-agl-tls-nextprotoneg";
    APPLICATION_SETTINGS_OLD = 17513, "application_settings_old", "draft-vvv-tls-alps";
    APPLICATION_SETTINGS = 17613, "application_settings", "draft-vvv-tls-alps";
    CHANNEL_ID = 30032, "channel_id", "draft-balfanz-tls-channelid";
    ENCRYPTED_CLIENT_HELLO = 65037, "encrypted_client_hello", "RFC 9849";
    RENEGOTIATION_INFO = 65281, "renegotiation_info", "RFC 5746";
}
