module app.test/app

go 1.24

godebug (
	tlsmlkem=1
	tls3des=1 // c
)
