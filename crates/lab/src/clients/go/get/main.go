// Gets a page as a program of Go does that sets nothing itself: proxies and trust come from the environment.
package main

import (
	"fmt"
	"net/http"
	"os"
)

func main() {
	response, err := http.Get(os.Args[1])
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	response.Body.Close()
	fmt.Println(response.Status)
}
