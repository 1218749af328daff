// Go's net/smtp, as its documentation has it: SendMail, and the same by hand where TLS comes first.
package main

import (
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/smtp"
	"os"
)

type letter struct {
	To      []string `json:"to"`
	Message string   `json:"message"`
}

func main() {
	var asked letter
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		fail(err)
	}
	host, sender := os.Getenv("SMTP_HOST"), os.Getenv("SMTP_FROM")
	address := net.JoinHostPort(host, os.Getenv("SMTP_PORT"))
	auth := smtp.PlainAuth("", os.Getenv("SMTP_USER"), os.Getenv("SMTP_PASSWORD"), host)
	if os.Getenv("SMTP_TLS") != "implicit" {
		if err := smtp.SendMail(address, auth, sender, asked.To, []byte(asked.Message)); err != nil {
			fail(err)
		}
		return
	}
	if err := send(address, host, auth, sender, asked); err != nil {
		fail(err)
	}
}

func send(address, host string, auth smtp.Auth, sender string, asked letter) error {
	connection, err := tls.Dial("tcp", address, nil)
	if err != nil {
		return err
	}
	client, err := smtp.NewClient(connection, host)
	if err != nil {
		return err
	}
	if err := client.Auth(auth); err != nil {
		return err
	}
	if err := client.Mail(sender); err != nil {
		return err
	}
	for _, recipient := range asked.To {
		if err := client.Rcpt(recipient); err != nil {
			return err
		}
	}
	text, err := client.Data()
	if err != nil {
		return err
	}
	if _, err := io.WriteString(text, asked.Message); err != nil {
		return err
	}
	if err := text.Close(); err != nil {
		return err
	}
	return client.Quit()
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
