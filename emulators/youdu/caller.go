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

// A caller is what a request says beside the call's own parameters: token,
// envelope, encryption.
type caller struct {
	token  string // accessToken of the query
	issued token  // a copy of the state's entry; empty: it was not issued

	postedBody      // its fault is checked after the token
	bare       bool // the call is plain JSON without an envelope

	app       *app // the application that the envelope names
	tokenApp  *app // the application that the token belongs to
	keyApp    *app // the application whose key decrypts the call and encrypts the answer
	buinKnown bool // an application has the envelope's buin
	apps      []app

	decryptFault *decryptFault // why the envelope cannot be decrypted; checked after the application
	messageErr   error         // why the decrypted message is not the JSON of the call
	plain        bool          // the answer is not encrypted

	content []byte // the content of an uploaded file, or of the file to send

	wanted string // the id of the session or the token that the call makes; "": a new one
}

// envelopeRows are the members of the envelope.
var envelopeRows = []contract.Param{{Name: "buin"}, {Name: "appId"}, {Name: "encrypt"}}

// callerOf returns the caller that the check read makes.
func callerOf(c *contract.Call) *caller {
	if cl, ok := c.Caller.(*caller); ok {
		return cl
	}
	cl := &caller{plain: true}
	c.Caller = cl
	return cl
}

// readRequest parses and decrypts the request. It refuses nothing.
func readRequest(c *contract.Call) contract.Verdict {
	r, cl := c.Request, &caller{token: queryValue(c.Request.URL.RawQuery, "accessToken")}
	c.Caller, c.In = cl, nil
	if c.Operation == nil {
		return contract.Verdict{}
	}
	if r.Method == http.MethodPost {
		cl.readBody(r)
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

// allowsPlain reports whether the call may be unencrypted.
func allowsPlain(c *contract.Call) bool { return c.Auth == contract.Off || c.Switches.Bool("plain") }

// A postedBody is the body of a POST.
type postedBody struct {
	envelope contract.Values // buin, appId, encrypt; nil where there is none
	part     []byte          // the part named file of an upload, still encrypted; nil: there is none
	err      error           // why it is no envelope
}

// parseBody parses the body of a POST.
func parseBody(r *contract.Request) (b postedBody) {
	if isForm(r) {
		b.envelope, b.part, b.err = parseForm(r)
		return b
	}
	b.envelope, b.err = wire.Object(r.Body)
	normaliseNames(b.envelope, envelopeRows)
	return b
}

// readBody reads the body of a POST, unless identifiers has.
func (cl *caller) readBody(r *contract.Request) {
	if r.TooLarge {
		cl.postedBody.err = fmt.Errorf("it is larger than the %d bytes that are read", len(r.Body))
	} else if parsed, is := r.Parsed.(*postedBody); is {
		cl.postedBody = *parsed
	} else {
		cl.postedBody = parseBody(r)
	}
}

// isForm reports whether r is for an operation whose body is a form.
func isForm(r *contract.Request) bool {
	return len(r.At) > 0 && r.At[0] == uploadMedia
}

// maxParts is the most parts that a form may have.
const maxParts = 32

// parseForm parses the form of an upload: buin, appId and encrypt as values, and
// the part named file. If a name occurs twice, the first part is used.
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

// lookUp finds the token and the applications in the state.
func (cl *caller) lookUp(c *contract.Call) {
	st := c.State.(*state)
	cl.apps = st.Apps
	if t := st.Tokens[cl.token]; t != nil {
		cl.issued, cl.tokenApp = *t, st.apps[t.key()]
	}
	if buin, is := parseBuin(cl.envelope["buin"]); is {
		cl.buinKnown = st.buins[buin]
		cl.app = st.apps[appKey{buin, cl.envelope.Text("appId")}]
		cl.adoptApp(c, buin)
	}
	if cl.keyApp = cl.app; cl.keyApp == nil {
		cl.keyApp = cl.tokenApp
	}
	if cl.keyApp == nil && c.Auth != contract.Verify {
		cl.keyApp = st.firstApp()
	}
	if cl.keyApp != nil {
		c.Key = cl.keyApp.AESKey
	}
}

// parseBuin parses an enterprise number: an integer in JSON, or the text of a form.
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

// readCall reads the call's own parameters, from the query or from the encrypted
// message.
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

// readQuery reads the parameters of a GET.
func (cl *caller) readQuery(c *contract.Call) {
	c.In = contract.Values{}
	for i := range c.Operation.Params {
		p := &c.Operation.Params[i]
		if value := queryValue(c.Request.URL.RawQuery, p.Name); value != "" {
			c.In[p.Name] = contract.Raw(value)
		}
	}
}

// readMessage reads the parameters of a POST, and reports whether they were not
// encrypted.
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
	if cl.part != nil {
		content, fault := cl.keyApp.open("the part file", string(cl.part), c.Auth == contract.Verify)
		if fault != nil {
			cl.keepFault(c, fault)
			return false
		}
		cl.setFile(c, content)
	}
	return false
}

// keepFault keeps why the envelope cannot be decrypted, and notes the step in the
// journal.
func (cl *caller) keepFault(c *contract.Call, fault *decryptFault) {
	cl.decryptFault = fault
	c.Note("decryption failed at", fault.cause.Code)
}

// readDecrypted parses the decrypted message: JSON, or for GetToken a time.
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

// setFile sets the content of an uploaded file.
func (cl *caller) setFile(c *contract.Call, content []byte) {
	cl.content = content
	if c.In != nil {
		c.In["file"] = string(content)
	}
}

// setParams sets the parameters of the call.
func (cl *caller) setParams(c *contract.Call, in contract.Values) {
	normaliseNames(in, c.Operation.Params)
	c.In = in
}

// readPlain reads a call that is not encrypted: its JSON without an envelope, or
// its JSON as the field encrypt. It returns false if the call is neither.
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
	if cl.part != nil {
		cl.setFile(c, cl.part)
	}
	return true
}

// readWithoutEnvelope reads parameters that are beside buin and appId, or alone.
func (cl *caller) readWithoutEnvelope(c *contract.Call) {
	in := maps.Clone(cl.envelope)
	_, hasBuin := in["buin"]
	_, hasAppID := in["appId"]
	cl.bare = !hasBuin && !hasAppID
	delete(in, "buin")
	delete(in, "appId")
	cl.setParams(c, in)
}

func isDigits(s string) bool { return strings.Trim(s, "0123456789") == "" }

// normaliseNames changes names that differ from their rows' names only in case.
// Libraries send such names, and the service, which decodes JSON as Go does,
// accepts them. It also removes members that are null: libraries send null for
// what is not set.
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
