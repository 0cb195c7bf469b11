// Connects as a program of Go does that sets nothing itself: `.ci/install` builds it with two releases.
package main

import (
	"crypto/tls"
	"fmt"
	"os"
)

func main() {
	name := "localhost"
	if len(os.Args) > 2 {
		name = os.Args[2]
	}
	connection, err := tls.Dial("tcp", os.Args[1], &tls.Config{ServerName: name})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	connection.Close()
}
