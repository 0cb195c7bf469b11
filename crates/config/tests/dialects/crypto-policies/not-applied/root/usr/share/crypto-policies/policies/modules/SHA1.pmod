sign = RSA-SHA1+
hash = SHA1+
__openssl_block_sha1_signatures = 0
