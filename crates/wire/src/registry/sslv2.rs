//! Cipher kinds of SSLv2.

use super::registry;

registry! {
    /// A CIPHER-KIND of SSLv2, 24 bits on the wire. In an SSLv2 CLIENT-HELLO a first byte of zero means a cipher suite of SSLv3 or TLS.
    Sslv2CipherKind(u32), 24 bits;
    SSL_CK_RC4_128_WITH_MD5 = 0x010080, "SSL_CK_RC4_128_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC4_128_EXPORT40_WITH_MD5 = 0x020080, "SSL_CK_RC4_128_EXPORT40_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC2_128_CBC_WITH_MD5 = 0x030080, "SSL_CK_RC2_128_CBC_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5 = 0x040080, "SSL_CK_RC2_128_CBC_EXPORT40_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_IDEA_128_CBC_WITH_MD5 = 0x050080, "SSL_CK_IDEA_128_CBC_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_DES_64_CBC_WITH_MD5 = 0x060040, "SSL_CK_DES_64_CBC_WITH_MD5", "draft-hickman-netscape-ssl-00";
    SSL_CK_DES_192_EDE3_CBC_WITH_MD5 = 0x0700c0, "SSL_CK_DES_192_EDE3_CBC_WITH_MD5", "draft-hickman-netscape-ssl-00";
}
