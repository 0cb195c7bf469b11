// Reads "id host port anchors" lines, prints "id ok" or "id no reason".
package main

import (
	"bufio"
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"os"
	"strings"
	"time"
)

func main() {
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		task := strings.Split(lines.Text(), "\t")
		roots := x509.NewCertPool()
		anchors, _ := os.ReadFile(task[3])
		roots.AppendCertsFromPEM(anchors)
		dialer := &net.Dialer{Timeout: 5 * time.Second}
		connection, err := tls.DialWithDialer(dialer, "tcp", "127.0.0.1:"+task[2], &tls.Config{RootCAs: roots, ServerName: task[1]})
		if err != nil {
			fmt.Printf("%s\tno\t%s\n", task[0], strings.Join(strings.Fields(err.Error()), " "))
			continue
		}
		connection.Close()
		fmt.Printf("%s\tok\n", task[0])
	}
}
