module client

go 1.24

godebug (
	tlsmlkem=1
	tlsmlkem=0 // until the proxy is new
)
