package replay

import (
	"encoding/base64"
	"fmt"
	"net"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"github.com/understudy-suite/understudy/internal/journal"
)

// goProgram writes a program in Go that sends a request and prints the answer. Every
// text of the request is a literal of ASCII characters.
func goProgram(e *journal.Entry, address string) string {
	var header strings.Builder
	for _, name := range headerNames(e.Request.Header) {
		if name == "Content-Length" {
			continue
		}
		fmt.Fprintf(&header, "\t\t%s: {", strconv.QuoteToASCII(name))
		for i, value := range e.Request.Header[name] {
			if i > 0 {
				header.WriteString(", ")
			}
			header.WriteString(strconv.QuoteToASCII(value))
		}
		header.WriteString("},\n")
	}
	if e.Request.Header["User-Agent"] == nil {
		header.WriteString("\t\t\"User-Agent\": {\"\"}, // none was sent\n")
	}
	body := "nil"
	if len(e.Request.Body) > 0 {
		body = "strings.NewReader(" + strconv.QuoteToASCII(string(e.Request.Body)) + ")"
	}
	text := fmt.Sprintf(goText, strconv.QuoteToASCII(e.Request.Method), strconv.QuoteToASCII(address), body, strconv.QuoteToASCII(e.Request.Host), header.String())
	if body == "nil" {
		text = strings.Replace(text, "\t\"strings\"\n", "", 1)
	}
	return text
}

const goText = `package main

import (
	"fmt"
	"log"
	"net/http"
	"net/http/httputil"
	"strings"
)

func main() {
	request, err := http.NewRequest(%s, %s, %s)
	if err != nil {
		log.Fatal(err)
	}
	request.Host = %s
	request.Header = http.Header{
%s	}
	direct := &http.Transport{DisableCompression: true} // by no proxy
	answer, err := direct.RoundTrip(request)
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	text, err := httputil.DumpResponse(answer, true)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%%s\n", text)
}
`

// nodeProgram writes a program for Node.js that sends a request and prints the answer.
// Node sends the characters of a header as bytes.
func nodeProgram(e *journal.Entry, scheme string) string {
	host, port, err := net.SplitHostPort(e.Request.Host)
	if err != nil {
		host, port = strings.Trim(e.Request.Host, "[]"), map[string]string{"https": "443"}[scheme]
		if port == "" {
			port = "80"
		}
	}
	var header strings.Builder
	add := func(name, value string) {
		fmt.Fprintf(&header, "      %s, %s,\n", byteLiteral(name), byteLiteral(value))
	}
	add("Host", e.Request.Host)
	for _, name := range headerNames(e.Request.Header) {
		if name == "Content-Length" {
			continue
		}
		for _, value := range e.Request.Header[name] {
			add(name, value)
		}
	}
	body := ""
	if len(e.Request.Body) > 0 {
		add("Content-Length", strconv.Itoa(len(e.Request.Body)))
		body = `Buffer.from("` + base64.StdEncoding.EncodeToString(e.Request.Body) + `", "base64")`
		if utf8.Valid(e.Request.Body) {
			body = "Buffer.from(" + textLiteral(string(e.Request.Body)) + ")" // beside a string, Node would encode the head as it does the body
		}
	}
	if scheme != "https" {
		scheme = "http"
	}
	return fmt.Sprintf(nodeText, scheme, byteLiteral(host), byteLiteral(port), byteLiteral(e.Request.Method), byteLiteral(e.Request.URL), header.String(), body)
}

// nodeText runs as a module and as a script: a dynamic import is in both.
const nodeText = `import("node:%s").then((client) => {
  const request = client.request({
    host: %s,
    port: %s,
    method: %s,
    path: %s,
    setHost: false,
    headers: [
%s    ],
  }, (answer) => {
    console.log(answer.statusCode, answer.statusMessage, answer.headers);
    answer.pipe(process.stdout);
  });
  request.on("error", (fault) => {
    console.error(fault.message);
    process.exitCode = 1;
  });
  request.end(%s);
});
`

// byteLiteral is a literal of JavaScript with one character for each byte.
func byteLiteral(s string) string {
	var units []uint16
	for _, c := range []byte(s) {
		units = append(units, uint16(c))
	}
	return literal(units)
}

// textLiteral is a literal of JavaScript for a text.
func textLiteral(s string) string { return literal(utf16.Encode([]rune(s))) }

// literal writes a string in ASCII characters, none of which ends it.
func literal(units []uint16) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, u := range units {
		if u < ' ' || u > '~' || u == '"' || u == '\\' || u == '<' {
			fmt.Fprintf(&b, `\u%04x`, u)
		} else {
			b.WriteByte(byte(u))
		}
	}
	b.WriteByte('"')
	return b.String()
}
