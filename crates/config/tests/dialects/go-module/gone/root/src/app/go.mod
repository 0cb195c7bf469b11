module app.test/app

go 1.21

godebug tlsrsakex=1
godebug tlsmlkem = 0
godebug default=go1.25
