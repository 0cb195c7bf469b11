protocol@openssl = -TLS1.2
cipher@TLS = -AES-128-*
