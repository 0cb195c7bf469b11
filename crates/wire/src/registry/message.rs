//! Kinds of records and of handshake messages.

use super::registry;

registry! {
    /// What a record carries.
    ContentType(u8), 8 bits;
    CHANGE_CIPHER_SPEC = 20, "change_cipher_spec", "RFC 8446";
    ALERT = 21, "alert", "RFC 8446";
    HANDSHAKE = 22, "handshake", "RFC 8446";
    APPLICATION_DATA = 23, "application_data", "RFC 8446";
    HEARTBEAT = 24, "heartbeat", "RFC 6520";
    TLS12_CID = 25, "tls12_cid", "RFC 9146";
    ACK = 26, "ACK", "RFC 9147";
    RETURN_ROUTABILITY_CHECK = 27, "return_routability_check", "RFC 9853";
}

registry! {
    /// Which handshake message it is.
    HandshakeType(u8), 8 bits;
    HELLO_REQUEST = 0, "hello_request", "RFC 5246";
    CLIENT_HELLO = 1, "client_hello", "RFC 8446";
    SERVER_HELLO = 2, "server_hello", "RFC 8446";
    HELLO_VERIFY_REQUEST = 3, "hello_verify_request", "RFC 6347";
    NEW_SESSION_TICKET = 4, "new_session_ticket", "RFC 8446";
    END_OF_EARLY_DATA = 5, "end_of_early_data", "RFC 8446";
    HELLO_RETRY_REQUEST = 6, "hello_retry_request", "RFC 8446";
    ENCRYPTED_EXTENSIONS = 8, "encrypted_extensions", "RFC 8446";
    REQUEST_CONNECTION_ID = 9, "request_connection_id", "RFC 9147";
    NEW_CONNECTION_ID = 10, "new_connection_id", "RFC 9147";
    CERTIFICATE = 11, "certificate", "RFC 8446";
    SERVER_KEY_EXCHANGE = 12, "server_key_exchange", "RFC 5246";
    CERTIFICATE_REQUEST = 13, "certificate_request", "RFC 8446";
    SERVER_HELLO_DONE = 14, "server_hello_done", "RFC 5246";
    CERTIFICATE_VERIFY = 15, "certificate_verify", "RFC 8446";
    CLIENT_KEY_EXCHANGE = 16, "client_key_exchange", "RFC 5246";
    CLIENT_CERTIFICATE_REQUEST = 17, "client_certificate_request", "RFC 9261";
    FINISHED = 20, "finished", "RFC 8446";
    CERTIFICATE_URL = 21, "certificate_url", "RFC 6066";
    CERTIFICATE_STATUS = 22, "certificate_status", "RFC 6066";
    SUPPLEMENTAL_DATA = 23, "supplemental_data", "RFC 4680";
    KEY_UPDATE = 24, "key_update", "RFC 8446";
    COMPRESSED_CERTIFICATE = 25, "compressed_certificate", "RFC 8879";
    EKT_KEY = 26, "ekt_key", "RFC 8870";
    NEXT_PROTOCOL = 67, "next_protocol", "draft-agl-tls-nextprotoneg";
    ENCRYPTED_EXTENSIONS_CHANNEL_ID = 203, "encrypted_extensions_channel_id", "draft-balfanz-tls-channelid";
    MESSAGE_HASH = 254, "message_hash", "RFC 8446";
}
