package youdu

import (
	"crypto/md5"
	"encoding/hex"
	"slices"
	"strconv"

	"github.com/understudy-suite/understudy/internal/contract"
)

var fileTypes = []string{"image", "file", "voice", "video"}

var uploadMedia = &contract.Operation{
	Name:   "UploadMedia",
	Doc:    "Uploads a file that messages can name. The request is a form: buin, appId and encrypt as values, and a part named file that holds the file, encrypted as the rest, as base64 text. No page gives the maximum size of a file; here the whole form has at most 10 MiB, so that a file of 7 MiB passes.",
	Cite:   citeMedia,
	Method: "POST", Path: "/cgi/media/upload", Aliases: alias("/cgi/media/upload"),
	Params: []contract.Param{
		tokenRow,
		{Name: "type", Need: contract.Required, OneOf: fileTypes, Example: "file", Cite: citeMedia, Doc: "The type of the file."},
		{Name: "name", Need: contract.Required, Example: "notes.txt", Cite: citeMedia, Doc: "The file's name."},
		{Name: "file", In: contract.Form, Need: contract.Required, Example: "hello", Cite: citeMedia, Doc: "The file itself, in a part of the form."},
	},
	Outcomes: contract.Outcomes(uploaded, invalidRequest, invalidFileType, invalidForm),
	Decide:   decideUpload,
}

var uploaded = &contract.Outcome{
	Name: "success", Status: 200, Doc: "The file is kept.", Cite: citeMedia,
	Returns: []contract.Param{
		{Name: "mediaId", Need: contract.Required, Example: "5d41402abc4b2a76b9719d911017c592-5", Cite: citeMedia, Doc: "The file's id: 32 hexadecimal digits and the size in bytes, as published samples look; that the digits are the content's MD5 is inferred."},
	},
	Keeps: true, Do: doUpload,
}

// An uploadReply is what UploadMedia returns.
type uploadReply struct {
	MediaID string `json:"mediaId"`
}

func decideUpload(c *contract.Call) contract.Verdict {
	st := c.State.(*state)
	if kind := c.In.Text("type"); !slices.Contains(fileTypes, kind) {
		return st.refuse(unknownFileType, "got", describe(kind))
	}
	if !c.In.Has("name") {
		return st.refuse(missingValue, "Name", "name")
	}
	return uploaded.Verdict()
}

func doUpload(c *contract.Call) any {
	st, f := c.State.(*state), &file{Type: c.In.Text("type"), Name: c.In.Text("name"), Content: callerOf(c).content}
	if f.Content == nil {
		f.Content = []byte(c.Dice().Fake().HackerPhrase())
	}
	f.ID, f.Serial = mediaID(f.Content), st.nextSerial()
	st.addFile(f)
	return &uploadReply{f.ID}
}

// mediaID is the id of a file with this content.
func mediaID(content []byte) string {
	sum := md5.Sum(content)
	return hex.EncodeToString(sum[:]) + "-" + strconv.Itoa(len(content))
}
