module app.test/app

go 1.21 // as it was
