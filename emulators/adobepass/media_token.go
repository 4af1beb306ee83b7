package adobepass

import (
	"crypto"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/xml"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A mediaToken is a short-lived proof of a permission. It is signed when it is
// encoded, after the state's lock was released.
type mediaToken struct {
	NotBefore  int64           `json:"notBefore"`
	NotAfter   int64           `json:"notAfter"`
	Serialized serializedToken `json:"serializedToken"`
}

// A serializedToken is the token in the form that the media token verifier
// reads.
type serializedToken struct {
	guid, requestor, resource, mvpd string
	issued                          string
	ttl                             int64
	key                             *rsa.PrivateKey
}

// mediaToken makes the token of a permission.
func (st *state) mediaToken(c *contract.Call, h holder, resource string) *mediaToken {
	now, ttl := c.Now.UnixMilli(), c.Switches.Duration("media_ttl").Milliseconds()
	return &mediaToken{NotBefore: now, NotAfter: now + ttl, Serialized: serializedToken{
		guid: c.Dice().ID(), requestor: h.serviceProvider, resource: resource, mvpd: h.mvpd,
		issued: c.Now.UTC().Format("2006/01/02 15:04:05 GMT -0700"), ttl: ttl, key: st.key,
	}}
}

// MarshalJSON signs the token with SHA256withRSA and encodes it as base64.
func (s serializedToken) MarshalJSON() ([]byte, error) {
	body := "<shortAuthorizationToken><sessionGUID>" + s.guid + "</sessionGUID><requestorID>" + escaped(s.requestor) +
		"</requestorID><resourceID>" + escaped(s.resource) + "</resourceID><ttl>" + strconv.FormatInt(s.ttl, 10) +
		"</ttl><issueTime>" + s.issued + "</issueTime><mvpdId>" + escaped(s.mvpd) + "</mvpdId><proxyMvpdId>" + escaped(s.mvpd) +
		"</proxyMvpdId></shortAuthorizationToken>"
	signature := ""
	if s.key != nil {
		sum := sha256.Sum256([]byte(body))
		raw, err := rsa.SignPKCS1v15(nil, s.key, crypto.SHA256, sum[:])
		if err != nil {
			return nil, err
		}
		signature = base64.StdEncoding.EncodeToString(raw)
	}
	return wire.Encode(base64.StdEncoding.EncodeToString([]byte("<signatureInfo>" + signature + "<signatureInfo>" + body))), nil
}

func escaped(s string) string {
	var b strings.Builder
	_ = xml.EscapeText(&b, []byte(s)) // a Builder returns no error
	return b.String()
}
