//! Cipher kinds of SSLv2.

use super::registry;

registry! {
    /// A CIPHER-KIND of SSLv2, 24 bits on the wire. In a CLIENT-HELLO in SSLv2's format a first byte of zero says that the other two are a
    /// cipher suite of SSLv3 or TLS.
    Sslv2CipherKind(u32), 24 bits;
    SSL_CK_RC4_128_WITH_MD5 = 0x010080, "SSL_CK_RC4_128_WITH_MD5" => "RC4-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC4_128_EXPORT40_WITH_MD5 = 0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5" => "EXP-RC4-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC2_128_CBC_WITH_MD5 = 0x030080, "SSL_CK_RC2_128_CBC_WITH_MD5" => "RC2-CBC-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5 = 0x040080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5" => "EXP-RC2-CBC-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_IDEA_128_CBC_WITH_MD5 = 0x050080, "SSL_CK_IDEA_128_CBC_WITH_MD5" => "IDEA-CBC-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_DES_64_CBC_WITH_MD5 = 0x060040, "SSL_CK_DES_64_CBC_WITH_MD5" => "DES-CBC-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_DES_64_CBC_WITH_SHA = 0x060140, "SSL_CK_DES_64_CBC_WITH_SHA" => "DES-CBC-SHA", "never specified (SSLeay)";
    SSL_CK_DES_192_EDE3_CBC_WITH_MD5 = 0x0700c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5" => "DES-CBC3-MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_DES_192_EDE3_CBC_WITH_SHA = 0x0701c0, "SSL_CK_DES_192_EDE3_CBC_WITH_SHA" => "DES-CBC3-SHA", "never specified (SSLeay)";
    SSL_CK_RC4_64_WITH_MD5 = 0x080080, "SSL_CK_RC4_64_WITH_MD5" => "RC4-64-MD5", "never specified (Microsoft)";
    SSL_CK_DES_64_CFB64_WITH_MD5_1 = 0xff0800, "SSL_CK_DES_64_CFB64_WITH_MD5_1" => "DES-CFB-M1", "never specified (SSLeay)";
    SSL_CK_NULL = 0xff0810, "SSL_CK_NULL" => "NULL", "never specified (SSLeay)";
}

impl Sslv2CipherKind {
    /// Security bits of the cipher: 40 for the export kinds, 0 without encryption; `None` for unknown kinds.
    pub fn strength_bits(self) -> Option<u16> {
        match self {
            Self::SSL_CK_RC4_128_WITH_MD5 | Self::SSL_CK_RC2_128_CBC_WITH_MD5 | Self::SSL_CK_IDEA_128_CBC_WITH_MD5 => Some(128),
            Self::SSL_CK_RC4_128_EXPORT40_WITH_MD5 | Self::SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5 => Some(40),
            Self::SSL_CK_DES_64_CBC_WITH_MD5 | Self::SSL_CK_DES_64_CBC_WITH_SHA | Self::SSL_CK_DES_64_CFB64_WITH_MD5_1 => {
                Some(56)
            }
            Self::SSL_CK_DES_192_EDE3_CBC_WITH_MD5 | Self::SSL_CK_DES_192_EDE3_CBC_WITH_SHA => Some(112),
            Self::SSL_CK_RC4_64_WITH_MD5 => Some(64),
            Self::SSL_CK_NULL => Some(0),
            _ => None,
        }
    }
}
