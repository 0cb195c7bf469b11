cipher = NULL -3DES-CBC
protocol@nowhere = TLS1.2
