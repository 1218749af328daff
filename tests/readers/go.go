// The readers of Go's standard library, as programs use them; README.md tells what is asked and answered.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"mime"
	"net/mail"
	"os"
	"strings"
	"unicode/utf8"
)

type question struct {
	ID      int    `json:"id"`
	Name    string `json:"name"`
	Field   string `json:"field"`
	Message string `json:"message"`
}

type answer struct {
	ID        int      `json:"id"`
	Reader    string   `json:"reader"`
	Addresses []string `json:"addresses"`
	Names     []string `json:"names"`
	Error     string   `json:"error,omitempty"`
}

// octets undoes the form in which octets are written in JSON: one character each.
func octets(text string) string {
	written := make([]byte, 0, len(text))
	for _, character := range text {
		written = append(written, byte(character))
	}
	return string(written)
}

func text(field string) string {
	raw := strings.TrimSpace(strings.ReplaceAll(octets(field), "\r\n", ""))
	if utf8.ValidString(raw) {
		return raw
	}
	var read strings.Builder
	for _, octet := range []byte(raw) {
		read.WriteRune(rune(octet))
	}
	return read.String()
}

func one(address *mail.Address, err error) ([]*mail.Address, error) {
	if err != nil {
		return nil, err
	}
	return []*mail.Address{address}, nil
}

var readers = map[string]func(question) ([]*mail.Address, error){
	"Go net/mail ParseAddressList": func(asked question) ([]*mail.Address, error) {
		parser := mail.AddressParser{WordDecoder: &mime.WordDecoder{}}
		return parser.ParseList(text(asked.Field))
	},
	"Go net/mail ParseAddress": func(asked question) ([]*mail.Address, error) {
		return one(mail.ParseAddress(text(asked.Field)))
	},
	"Go net/mail ParseAddressList, DecodeHeader first": func(asked question) ([]*mail.Address, error) {
		decoded, err := new(mime.WordDecoder).DecodeHeader(text(asked.Field))
		if err != nil {
			return nil, err
		}
		return mail.ParseAddressList(decoded)
	},
	"Go net/mail ReadMessage": func(asked question) ([]*mail.Address, error) {
		message, err := mail.ReadMessage(strings.NewReader(octets(asked.Message)))
		if err != nil {
			return nil, err
		}
		return message.Header.AddressList(asked.Name)
	},
}

func main() {
	lines := bufio.NewReader(os.Stdin)
	out := json.NewEncoder(os.Stdout)
	for {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			return
		}
		var asked question
		if err := json.Unmarshal(line, &asked); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		for reader, read := range readers {
			shown := answer{ID: asked.ID, Reader: reader, Addresses: []string{}, Names: []string{}}
			entries, err := read(asked)
			if err != nil {
				shown.Error = err.Error()
			}
			for _, entry := range entries {
				shown.Addresses = append(shown.Addresses, entry.Address)
				shown.Names = append(shown.Names, entry.Name)
			}
			if err := out.Encode(shown); err != nil {
				return
			}
		}
	}
}
