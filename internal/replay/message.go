package replay

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"unicode"
	"unicode/utf8"
)

// Message is a request or an answer as it stands on the wire.
type Message struct {
	Line   string // the request line or the status line
	Host   string // "" for an answer
	Header http.Header
	Body   []byte
}

// Text writes a message down: its line, its headers by name, an empty line and
// the body as it was sent.
func (m Message) Text() string {
	var b strings.Builder
	b.WriteString(m.Line + "\n")
	if m.Host != "" {
		b.WriteString("Host: " + m.Host + "\n")
	}
	for _, name := range headerNames(m.Header) {
		for _, value := range m.Header[name] {
			b.WriteString(name + ": " + value + "\n")
		}
	}
	b.WriteString("\n")
	if len(m.Body) > 0 {
		b.Write(m.Body)
		b.WriteString("\n")
	}
	return b.String()
}

func headerNames(h http.Header) []string {
	names := make([]string, 0, len(h))
	for name := range h {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// StatusLine is the status line of an answer.
func StatusLine(status int) string {
	return strings.TrimSpace(fmt.Sprintf("HTTP/1.1 %d %s", status, http.StatusText(status)))
}

// Curl writes a request as a line for a POSIX shell.
func Curl(method, url, host string, header http.Header, body []byte) string {
	args := []string{"curl", "-sS", "-i", "--noproxy", "'*'"}
	if method == http.MethodHead {
		args = append(args, "--head")
	} else {
		args = append(args, "-X", quoted(method))
	}
	args = append(args, quoted(url))
	if host != "" {
		args = append(args, "-H", quoted("Host: "+host))
	}
	for _, name := range headerNames(header) {
		if name == "Content-Length" {
			continue
		}
		for _, value := range header[name] {
			args = append(args, "-H", quoted(headerArgument(name, value)))
		}
	}
	if len(body) == 0 {
		return strings.Join(args, " ")
	}
	if header.Get("Content-Type") == "" {
		args = append(args, "-H", "'Content-Type:'") // or curl makes a form of it
	}
	if utf8.Valid(body) && bytes.IndexFunc(body, steers) < 0 {
		return strings.Join(append(args, "--data-raw", quoted(string(body))), " ")
	}
	encoded := base64.StdEncoding.EncodeToString(body)
	return "echo " + encoded + " | base64 -d | " + strings.Join(append(args, "--data-binary", "@-"), " ")
}

// Line writes a command and its arguments for a POSIX shell.
func Line(args ...string) string {
	words := make([]string, len(args))
	for i, arg := range args {
		words[i] = quoted(arg)
	}
	return strings.Join(words, " ")
}

// headerWord is a header as curl takes it: an empty one ends in a semicolon.
func headerArgument(name, value string) string {
	if value == "" {
		return name + ";"
	}
	return name + ": " + value
}

// quoted quotes an argument for a shell. One with control characters is written as
// printf makes it.
func quoted(s string) string {
	plain := func(r rune) bool {
		return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-_./:", r)
	}
	if s != "" && strings.IndexFunc(s, func(r rune) bool { return !plain(r) }) < 0 {
		return s
	}
	if strings.IndexFunc(s, steers) < 0 {
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	var b strings.Builder
	for i := range len(s) {
		if plain(rune(s[i])) {
			b.WriteByte(s[i])
		} else {
			fmt.Fprintf(&b, `\%03o`, s[i])
		}
	}
	return `"$(printf '` + b.String() + `')"`
}

// steers reports whether a character would steer the terminal that a line is printed to, or is
// not seen there.
func steers(r rune) bool { return !unicode.IsGraphic(r) && r != '\n' && r != '\t' }
