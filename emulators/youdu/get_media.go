package youdu

import (
	"net/http"
	"strconv"
	"unicode/utf16"

	"github.com/understudy-suite/understudy/internal/contract"
)

var getMedia = &contract.Operation{
	Name:   "GetMedia",
	Doc:    "Returns a file. The answer is no JSON: the header Encrypt holds the file's name and size, the body the file itself as base64 of the envelope. An error is answered as elsewhere, without the header.",
	Cite:   citeMedia,
	Method: "POST", Path: "/cgi/media/get", Aliases: alias("/cgi/media/get"),
	Params:   []contract.Param{tokenRow, mediaIDRow},
	Outcomes: contract.Outcomes(gotMedia, invalidRequest, fileNotExist),
	Decide:   decideMedia(gotMedia),
	Write:    writeMedia,
}

var mediaIDRow = contract.Param{
	Name: "mediaId", Need: contract.Required, Example: exampleMedia, Cite: citeMedia, Doc: "The file's id, as UploadMedia returned it.",
}

// exampleMedia is a file of the default fixture.
const exampleMedia = "5d41402abc4b2a76b9719d911017c592-5"

var gotMedia = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The file is returned: what is known of it in the header Encrypt, its content in the body.", Cite: citeMedia,
	Returns: mediaRows, Do: doGetMedia,
}

// A mediaReply describes a file.
type mediaReply struct {
	Name string `json:"name"`
	Size int64  `json:"size"`
}

var mediaRows = []contract.Param{
	{Name: "name", Need: contract.Required, Cite: citeMedia, Doc: "The file's name."},
	{Name: "size", Type: contract.Integer, Need: contract.Required, Cite: citeMedia, Doc: "How many bytes it has."},
}

// decideMedia is the Decide of the operations on one file.
func decideMedia(success *contract.Outcome) func(*contract.Call) contract.Verdict {
	return func(c *contract.Call) contract.Verdict {
		st, id := c.State.(*state), c.In.Text("mediaId")
		switch {
		case id == "":
			return st.refuse(missingValue, "Name", "mediaId")
		case st.Media[id] == nil:
			return st.refuse(unknownMedia, "got", describe(id))
		}
		return success.Verdict()
	}
}

// mediaFile is the file that a call names. If a scenario lets a call for an
// unknown file succeed, the file is invented.
func mediaFile(c *contract.Call) *file {
	if f := c.State.(*state).Media[c.In.Text("mediaId")]; f != nil {
		return f
	}
	return &file{Name: c.Dice().Fake().Noun() + ".txt", Content: []byte(c.Dice().Fake().HackerPhrase())}
}

func doGetMedia(c *contract.Call) any {
	f := mediaFile(c)
	callerOf(c).content = f.Content
	return &mediaReply{f.Name, int64(len(f.Content))}
}

// writeMedia makes the response with a file. Youdu's own PHP library finds the
// header only with this spelling.
func writeMedia(c *contract.Call, v contract.Verdict, reply contract.Reply) contract.Response {
	if v.Outcome.Fails {
		return write(c, v, reply)
	}
	cl := callerOf(c)
	r := contract.Response{Status: v.Outcome.Status, Body: cl.content}
	info := escapeNonASCII(reply.Body)
	if !cl.plain && cl.keyApp != nil {
		first := newPrefix(c.Dice())
		info = string(cl.keyApp.seal(nil, first, reply.Body))
		r.Body = cl.keyApp.seal(make([]byte, 0, cl.keyApp.sealedSize(cl.content)), newPrefix(c.Dice()), cl.content)
	}
	r.Header = http.Header{"Content-Type": {"application/octet-stream"}, "Encrypt": {info}}
	return r
}

// escapeNonASCII escapes the characters of JSON that a header cannot carry.
func escapeNonASCII(body []byte) string {
	b := make([]byte, 0, len(body))
	for _, r := range string(body) {
		if r < 0x7f { // 0x7f is a control character
			b = append(b, byte(r))
			continue
		}
		for _, half := range utf16.Encode([]rune{r}) {
			b = append(b, `\u`...)
			digits := strconv.FormatUint(0x10000|uint64(half), 16)
			b = append(b, digits[1:]...)
		}
	}
	return string(b)
}
