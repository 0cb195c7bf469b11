//! Protocol versions.

use super::registry;

registry! {
    /// A protocol version as it travels on the wire. Ordered: a later version of TLS is greater.
    ProtocolVersion(u16), 16 bits;
    SSLV2 = 0x0002, "SSLv2", "draft-hickman-netscape-ssl-00";
    SSLV3 = 0x0300, "SSLv3", "RFC 6101";
    TLSV1_0 = 0x0301, "TLSv1.0" => "TLSv1", "RFC 2246";
    TLSV1_1 = 0x0302, "TLSv1.1", "RFC 4346";
    TLSV1_2 = 0x0303, "TLSv1.2", "RFC 5246";
    TLSV1_3 = 0x0304, "TLSv1.3", "RFC 8446";
}
