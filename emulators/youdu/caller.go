package youdu

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// A caller is who asks, and how: what stands around the call's own parameters.
type caller struct {
	token  string // accessToken of the query
	issued token  // a copy of what the world has of it; empty: it was not issued

	said      contract.Values // the envelope: buin, appId, encrypt; nil where there is none
	bare      bool            // plain, and without an envelope
	bodyFault error           // why the body is no envelope; judged after the token

	app      *app // that the envelope names
	tokenApp *app // that the token belongs to
	key      *app // whose key the call is read and answered with
	buinOurs bool // some application has the envelope's buin
	apps     []app

	breach  *breach // why what is encrypted cannot be read; judged after the application
	message error   // why what was encrypted is not the JSON of the call
	plain   bool    // the answer is not encrypted

	part    []byte // the part named file of an upload, as it came
	hasPart bool
	content []byte // what it holds, or what is to be sent
}

// envelopeRows are what stands around the call.
var envelopeRows = []contract.Param{{Name: "buin"}, {Name: "appId"}, {Name: "encrypt"}}

// callerOf returns the call's caller, which the check read makes.
func callerOf(c *contract.Call) *caller {
	if k, ok := c.Caller.(*caller); ok {
		return k
	}
	k := &caller{plain: true}
	c.Caller = k
	return k
}

// read takes the request apart and judges nothing.
func read(c *contract.Call) contract.Verdict {
	r, k := c.Request, &caller{token: parameter(c.Request.URL.RawQuery, "accessToken")}
	c.Caller, c.In = k, nil
	if c.Operation == nil {
		return contract.Verdict{}
	}
	if r.Method == http.MethodPost {
		k.readEnvelope(r)
	}
	c.WithState(func() { k.recognise(c) })
	k.readCall(c)
	if c.In == nil {
		c.In = contract.Values{}
	}
	if k.token != "" {
		c.In["accessToken"] = k.token
	}
	return contract.Verdict{}
}

// allowsPlain reports whether the call may come without encryption.
func allowsPlain(c *contract.Call) bool { return c.Auth == contract.Off || c.Switches.Bool("plain") }

func (k *caller) readEnvelope(r *contract.Request) {
	switch {
	case r.TooLarge:
		k.bodyFault = fmt.Errorf("it is larger than the %d bytes that are read", len(r.Body))
	case isForm(r):
		k.said, k.part, k.bodyFault = openForm(r)
		k.hasPart = k.part != nil
	default:
		k.said, k.bodyFault = wire.Object(r.Body)
		fold(k.said, envelopeRows)
	}
}

// isForm reports whether r is one of the calls that are sent as a form.
func isForm(r *contract.Request) bool {
	return len(r.At) > 0 && r.At[0] == uploadMedia
}

// maxParts bounds the parts of a form that are looked at.
const maxParts = 32

// openForm reads the form of an upload: buin, appId and encrypt as values, and
// the part named file. Of parts with one name the first counts.
func openForm(r *contract.Request) (said contract.Values, part []byte, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, nil, fmt.Errorf("its Content-Type is %.80q; multipart/form-data with a boundary was expected", r.Header.Get("Content-Type"))
	}
	form := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
	said = contract.Values{}
	for range maxParts {
		p, err := form.NextRawPart()
		if errors.Is(err, io.EOF) && (part != nil || len(said) > 0) {
			return said, part, nil
		}
		if err != nil {
			return nil, nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, err
		}
		name := p.FormName()
		if _, twice := said[name]; name == "file" && part == nil {
			part = content
		} else if name != "file" && !twice {
			said[name] = contract.Raw(content)
		}
	}
	return nil, nil, fmt.Errorf("it has more than %d parts", maxParts)
}

// recognise looks up who asks.
func (k *caller) recognise(c *contract.Call) {
	w := c.State.(*state)
	k.apps = w.Apps
	if t := w.Tokens[k.token]; t != nil {
		k.issued, k.tokenApp = *t, w.apps[t.key()]
	}
	if buin, is := number(k.said["buin"]); is {
		k.buinOurs = w.buins[buin]
		k.app = w.apps[appKey{buin, k.said.Text("appId")}]
	}
	if k.key = k.app; k.key == nil {
		k.key = k.tokenApp
	}
	if k.key == nil && c.Auth != contract.Verify {
		k.key = w.first()
	}
}

// number reads an enterprise number: a whole JSON number, or the text of a form.
func number(x any) (int64, bool) {
	var text string
	switch v := x.(type) {
	case json.Number:
		text = string(v)
	case contract.Raw:
		text = string(v)
	}
	n, err := strconv.ParseInt(text, 10, 64)
	return n, err == nil
}

// readCall reads the call's own parameters, from the query or from what is
// encrypted.
func (k *caller) readCall(c *contract.Call) {
	plain := false
	if c.Request.Method == http.MethodPost {
		plain = k.readMessage(c)
	} else {
		k.readQuery(c)
		plain = k.issued.Token == "" || k.issued.Plain
	}
	k.plain = c.Switches.Bool("plain") || (c.Auth == contract.Off && plain)
}

func (k *caller) readQuery(c *contract.Call) {
	c.In = contract.Values{}
	for i := range c.Operation.Params {
		p := &c.Operation.Params[i]
		if value := parameter(c.Request.URL.RawQuery, p.Name); value != "" {
			c.In[p.Name] = contract.Raw(value)
		}
	}
}

// readMessage reads what is encrypted, and tells whether it came as it is.
func (k *caller) readMessage(c *contract.Call) (plain bool) {
	if k.said == nil {
		k.bare = len(c.Request.Body) == 0 && allowsPlain(c)
		return true
	}
	if allowsPlain(c) && k.readPlain(c) {
		return true
	}
	text := k.said.Text("encrypt")
	switch {
	case text == "":
		return true
	case k.key == nil:
		k.fail(c, &breach{cause: noKey, text: text})
		return true
	}
	message, breach := k.key.open("encrypt", text, c.Auth == contract.Verify)
	if breach != nil {
		k.fail(c, breach)
		return false
	}
	k.take(c, message)
	if k.hasPart {
		content, breach := k.key.open("the part file", string(k.part), c.Auth == contract.Verify)
		if breach != nil {
			k.fail(c, breach)
			return false
		}
		k.attach(c, content)
	}
	return false
}

// fail keeps why the envelope cannot be opened, and has the journal say at
// which step.
func (k *caller) fail(c *contract.Call, b *breach) {
	k.breach = b
	c.Note("decryption failed at", b.cause.Code)
}

// take reads what was decrypted: JSON, and for GetToken a time.
func (k *caller) take(c *contract.Call, message []byte) {
	if c.Operation == getToken {
		c.In = contract.Values{"timestamp": string(message)}
		return
	}
	in, err := wire.Object(message)
	if err != nil {
		k.message = err
		return
	}
	k.adopt(c, in)
}

// attach keeps the content of a file.
func (k *caller) attach(c *contract.Call, content []byte) {
	k.content = content
	if c.In != nil {
		c.In["file"] = string(content)
	}
}

func (k *caller) adopt(c *contract.Call, in contract.Values) {
	fold(in, c.Operation.Params)
	c.In = in
}

// readPlain reads a call that is not encrypted: the JSON alone, or in the place
// of what would be encrypted. It reports false where the call is neither.
func (k *caller) readPlain(c *contract.Call) bool {
	x, there := k.said["encrypt"]
	switch v := x.(type) {
	case contract.Values:
		k.adopt(c, maps.Clone(v))
	case string, contract.Raw:
		text := strings.TrimSpace(k.said.Text("encrypt"))
		if c.Operation == getToken && isDigits(text) {
			c.In = contract.Values{"timestamp": text}
			break
		}
		if !strings.HasPrefix(text, "{") {
			return false
		}
		k.take(c, []byte(text))
	case json.Number:
		if c.Operation != getToken {
			return false
		}
		c.In = contract.Values{"timestamp": string(v)}
	default:
		if there {
			return false
		}
		k.readBare(c)
	}
	if k.hasPart {
		k.attach(c, k.part)
	}
	return true
}

// readBare reads parameters that stand where the envelope would.
func (k *caller) readBare(c *contract.Call) {
	in := maps.Clone(k.said)
	_, named := in["buin"]
	_, called := in["appId"]
	k.bare = !named && !called
	delete(in, "buin")
	delete(in, "appId")
	k.adopt(c, in)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// fold gives names their rows' spelling where they differ from it in case
// alone: the libraries' slips in it pass at the service, which reads JSON as Go
// does. Members that are null count as absent: libraries send them for what
// was not set.
func fold(in contract.Values, rows []contract.Param) {
	known := 0
	for i := range rows {
		x, given := in[rows[i].Name]
		if !given {
			continue
		}
		if x == nil {
			delete(in, rows[i].Name)
			continue
		}
		known++
		if inner, is := x.(contract.Values); is && rows[i].Fields != nil {
			fold(inner, rows[i].Fields)
		}
	}
	if known == len(in) {
		return
	}
	for _, name := range slices.Sorted(maps.Keys(in)) {
		for i := range rows {
			row := rows[i].Name
			if _, taken := in[row]; name == row || taken || !strings.EqualFold(name, row) {
				continue
			}
			if in[name] != nil {
				in[row] = in[name]
			}
			delete(in, name)
			break
		}
	}
}
