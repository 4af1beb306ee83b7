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

	envelope contract.Values // the envelope: buin, appId, encrypt; nil where there is none
	bare     bool            // plain, and without an envelope
	bodyErr  error           // why the body is no envelope; judged after the token

	app       *app // that the envelope names
	tokenApp  *app // that the token belongs to
	keyApp    *app // whose key the call is read and answered with
	buinKnown bool // some application has the envelope's buin
	apps      []app

	decryptFault *decryptFault // why what is encrypted cannot be read; judged after the application
	messageErr   error         // why what was encrypted is not the JSON of the call
	plain        bool          // the answer is not encrypted

	part    []byte // the part named file of an upload, as it came
	hasPart bool
	content []byte // what it holds, or what is to be sent
}

// envelopeRows are what stands around the call.
var envelopeRows = []contract.Param{{Name: "buin"}, {Name: "appId"}, {Name: "encrypt"}}

// callerOf returns the call's caller, which the check read makes.
func callerOf(c *contract.Call) *caller {
	if cl, ok := c.Caller.(*caller); ok {
		return cl
	}
	cl := &caller{plain: true}
	c.Caller = cl
	return cl
}

// read takes the request apart and judges nothing.
func readRequest(c *contract.Call) contract.Verdict {
	r, cl := c.Request, &caller{token: queryValue(c.Request.URL.RawQuery, "accessToken")}
	c.Caller, c.In = cl, nil
	if c.Operation == nil {
		return contract.Verdict{}
	}
	if r.Method == http.MethodPost {
		cl.readEnvelope(r)
	}
	c.WithState(func() { cl.lookUp(c) })
	cl.readCall(c)
	if c.In == nil {
		c.In = contract.Values{}
	}
	if cl.token != "" {
		c.In["accessToken"] = cl.token
	}
	return contract.Verdict{}
}

// allowsPlain reports whether the call may come without encryption.
func allowsPlain(c *contract.Call) bool { return c.Auth == contract.Off || c.Switches.Bool("plain") }

func (cl *caller) readEnvelope(r *contract.Request) {
	switch {
	case r.TooLarge:
		cl.bodyErr = fmt.Errorf("it is larger than the %d bytes that are read", len(r.Body))
	case isForm(r):
		cl.envelope, cl.part, cl.bodyErr = parseForm(r)
		cl.hasPart = cl.part != nil
	default:
		cl.envelope, cl.bodyErr = wire.Object(r.Body)
		normaliseNames(cl.envelope, envelopeRows)
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
func parseForm(r *contract.Request) (values contract.Values, part []byte, err error) {
	kind, params, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/form-data" || params["boundary"] == "" {
		return nil, nil, fmt.Errorf("its Content-Type is %.80q; multipart/form-data with a boundary was expected", r.Header.Get("Content-Type"))
	}
	form := multipart.NewReader(bytes.NewReader(r.Body), params["boundary"])
	values = contract.Values{}
	for range maxParts {
		p, err := form.NextRawPart()
		if errors.Is(err, io.EOF) && (part != nil || len(values) > 0) {
			return values, part, nil
		}
		if err != nil {
			return nil, nil, err
		}
		content, err := io.ReadAll(p)
		if err != nil {
			return nil, nil, err
		}
		name := p.FormName()
		if _, twice := values[name]; name == "file" && part == nil {
			part = content
		} else if name != "file" && !twice {
			values[name] = contract.Raw(content)
		}
	}
	return nil, nil, fmt.Errorf("it has more than %d parts", maxParts)
}

// recognise looks up who asks.
func (cl *caller) lookUp(c *contract.Call) {
	st := c.State.(*state)
	cl.apps = st.Apps
	if t := st.Tokens[cl.token]; t != nil {
		cl.issued, cl.tokenApp = *t, st.apps[t.key()]
	}
	if buin, is := parseBuin(cl.envelope["buin"]); is {
		cl.buinKnown = st.buins[buin]
		cl.app = st.apps[appKey{buin, cl.envelope.Text("appId")}]
	}
	if cl.keyApp = cl.app; cl.keyApp == nil {
		cl.keyApp = cl.tokenApp
	}
	if cl.keyApp == nil && c.Auth != contract.Verify {
		cl.keyApp = st.firstApp()
	}
}

// number reads an enterprise number: a whole JSON number, or the text of a form.
func parseBuin(x any) (int64, bool) {
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
func (cl *caller) readCall(c *contract.Call) {
	plain := false
	if c.Request.Method == http.MethodPost {
		plain = cl.readMessage(c)
	} else {
		cl.readQuery(c)
		plain = cl.issued.Token == "" || cl.issued.Plain
	}
	cl.plain = c.Switches.Bool("plain") || (c.Auth == contract.Off && plain)
}

func (cl *caller) readQuery(c *contract.Call) {
	c.In = contract.Values{}
	for i := range c.Operation.Params {
		p := &c.Operation.Params[i]
		if value := queryValue(c.Request.URL.RawQuery, p.Name); value != "" {
			c.In[p.Name] = contract.Raw(value)
		}
	}
}

// readMessage reads what is encrypted, and tells whether it came as it is.
func (cl *caller) readMessage(c *contract.Call) (plain bool) {
	if cl.envelope == nil {
		cl.bare = len(c.Request.Body) == 0 && allowsPlain(c)
		return true
	}
	if allowsPlain(c) && cl.readPlain(c) {
		return true
	}
	text := cl.envelope.Text("encrypt")
	switch {
	case text == "":
		return true
	case cl.keyApp == nil:
		cl.keepFault(c, &decryptFault{cause: noKey, text: text})
		return true
	}
	message, fault := cl.keyApp.open("encrypt", text, c.Auth == contract.Verify)
	if fault != nil {
		cl.keepFault(c, fault)
		return false
	}
	cl.readDecrypted(c, message)
	if cl.hasPart {
		content, fault := cl.keyApp.open("the part file", string(cl.part), c.Auth == contract.Verify)
		if fault != nil {
			cl.keepFault(c, fault)
			return false
		}
		cl.setFile(c, content)
	}
	return false
}

// fail keeps why the envelope cannot be opened, and has the journal say at
// which step.
func (cl *caller) keepFault(c *contract.Call, b *decryptFault) {
	cl.decryptFault = b
	c.Note("decryption failed at", b.cause.Code)
}

// take reads what was decrypted: JSON, and for GetToken a time.
func (cl *caller) readDecrypted(c *contract.Call, message []byte) {
	if c.Operation == getToken {
		c.In = contract.Values{"timestamp": string(message)}
		return
	}
	in, err := wire.Object(message)
	if err != nil {
		cl.messageErr = err
		return
	}
	cl.setParams(c, in)
}

// attach keeps the content of a file.
func (cl *caller) setFile(c *contract.Call, content []byte) {
	cl.content = content
	if c.In != nil {
		c.In["file"] = string(content)
	}
}

func (cl *caller) setParams(c *contract.Call, in contract.Values) {
	normaliseNames(in, c.Operation.Params)
	c.In = in
}

// readPlain reads a call that is not encrypted: the JSON alone, or in the place
// of what would be encrypted. It reports false where the call is neither.
func (cl *caller) readPlain(c *contract.Call) bool {
	x, there := cl.envelope["encrypt"]
	switch v := x.(type) {
	case contract.Values:
		cl.setParams(c, maps.Clone(v))
	case string, contract.Raw:
		text := strings.TrimSpace(cl.envelope.Text("encrypt"))
		if c.Operation == getToken && isDigits(text) {
			c.In = contract.Values{"timestamp": text}
			break
		}
		if !strings.HasPrefix(text, "{") {
			return false
		}
		cl.readDecrypted(c, []byte(text))
	case json.Number:
		if c.Operation != getToken {
			return false
		}
		c.In = contract.Values{"timestamp": string(v)}
	default:
		if there {
			return false
		}
		cl.readWithoutEnvelope(c)
	}
	if cl.hasPart {
		cl.setFile(c, cl.part)
	}
	return true
}

// readBare reads parameters that stand where the envelope would.
func (cl *caller) readWithoutEnvelope(c *contract.Call) {
	in := maps.Clone(cl.envelope)
	_, named := in["buin"]
	_, called := in["appId"]
	cl.bare = !named && !called
	delete(in, "buin")
	delete(in, "appId")
	cl.setParams(c, in)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// fold gives names their rows' spelling where they differ from it in case
// alone: the libraries' slips in it pass at the service, which reads JSON as Go
// does. Members that are null count as absent: libraries send them for what
// was not set.
func normaliseNames(in contract.Values, rows []contract.Param) {
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
			normaliseNames(inner, rows[i].Fields)
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
