protocol@nss = TLS1.1+
