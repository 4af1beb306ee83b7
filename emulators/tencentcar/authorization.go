package tencentcar

import (
	"encoding/hex"
	"strings"
	"time"
)

const (
	algorithm   = "TC3-HMAC-SHA256"
	skipSigning = "SKIP"
	scopeSuffix = "/tc3_request"

	// maxSigned limits the length of the list of signed headers, because each
	// header is read for each variant. No SDK signs more than three headers.
	maxSigned = 1024
)

// An authorization is a parsed TC3 Authorization header:
//
//	TC3-HMAC-SHA256 Credential=<SecretId>/<date>/<service>/tc3_request, SignedHeaders=<list>, Signature=<hex>
type authorization struct {
	secretID      string
	date          string // UTC day of the timestamp: 2023-11-14
	service       string
	signedHeaders string // the list, as sent
	signature     string // 64 hexadecimal digits
	skip          bool   // the value is SKIP: the SDK is configured not to sign
	fault         string // the malformed part, as the message names it; "" for none
}

// parseAuthorization parses the header. The SecretId ends at the first slash, the
// date at the second. The service is everything from there to the last part: the
// Node and Java SDKs write there the text before the first dot of their endpoint,
// including a port, as in localhost:8080.
func parseAuthorization(value string) authorization {
	if value == skipSigning {
		return authorization{skip: true, fault: "`Algorithm`"}
	}
	rest, ok := strings.CutPrefix(value, algorithm+" ")
	if !ok {
		return authorization{fault: "`Algorithm`"}
	}
	var a authorization
	var credential string
	for part := range strings.SplitSeq(rest, ",") {
		name, value, _ := strings.Cut(strings.TrimSpace(part), "=")
		switch {
		case name == "Credential" && credential == "":
			credential = value
		case name == "SignedHeaders" && a.signedHeaders == "":
			a.signedHeaders = value
		case name == "Signature" && a.signature == "":
			a.signature = value
		default:
			a.fault = "`Authorization`"
			return a
		}
	}
	a.fault = a.parseCredential(credential)
	return a
}

// parseCredential parses the credential and returns the first malformed part, or
// "".
func (a *authorization) parseCredential(credential string) string {
	id, scope, ok := strings.Cut(credential, "/")
	if !ok || id == "" {
		return "`Credential`"
	}
	a.secretID = id
	if a.date, scope, ok = strings.Cut(scope, "/"); !ok || !isDate(a.date) {
		return "`Date` in Credential"
	}
	if a.service, ok = strings.CutSuffix(scope, scopeSuffix); !ok || a.service == "" {
		return "`Service` in Credential"
	}
	if len(a.signedHeaders) > maxSigned || !a.signsHeader("host") || !a.signsHeader("content-type") {
		return "`SignedHeaders`"
	}
	if !isDigest(a.signature) {
		return "`Signature`"
	}
	return ""
}

// signsHeader reports whether the header of this name, in lower case, is signed.
func (a *authorization) signsHeader(name string) bool {
	for s := range strings.SplitSeq(a.signedHeaders, ";") {
		if s == name {
			return true
		}
	}
	return false
}

// isOf reports whether the scope's date is the day of an instant.
func (a *authorization) isOf(t time.Time) bool {
	year, month, day := t.Date()
	return number(a.date[:4]) == year && number(a.date[5:7]) == int(month) && number(a.date[8:]) == day
}

// number is the number that digits write.
func number(digits string) (n int) {
	for i := range len(digits) {
		n = 10*n + int(digits[i]-'0')
	}
	return n
}

// isDate reports whether s has the form of 2023-11-14.
func isDate(s string) bool {
	if len(s) != len("2023-11-14") {
		return false
	}
	for i := range len(s) {
		if i == 4 || i == 7 {
			if s[i] != '-' {
				return false
			}
		} else if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return true
}

// isDigest reports whether s is a SHA-256 digest in hexadecimal.
func isDigest(s string) bool {
	var digest [32]byte
	if len(s) != hex.EncodedLen(len(digest)) {
		return false
	}
	_, err := hex.Decode(digest[:], []byte(s))
	return err == nil
}
