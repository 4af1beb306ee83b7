package control

import (
	"cmp"
	"net/http"
	"slices"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/verify"
)

// VerdictHeader has the verdict of a report, whatever the report's form.
const VerdictHeader = "Understudy-Verdict"

// form reads which of the forms an answer is asked for in; JSON where none is named.
func (a *request) form(forms []string) (string, error) {
	word, given := a.query["format"]
	if !given {
		return output.FormJSON, nil
	}
	if form := cmp.Or(output.OtherWords[word], word); slices.Contains(forms, form) {
		return form, nil
	}
	return "", refuse(http.StatusBadRequest, "there is no format %s%s", quote(word), hint(word, forms))
}

// verdictAnswer is a report as an answer, in the form that was asked for: 200 where it
// holds, and otherwise 409.
type verdictAnswer struct {
	verdict verify.Verdict // "": nobody asked for one
	form    string
	body    []byte
}

func (v *verdictAnswer) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	status, kind := http.StatusOK, output.MediaType(v.form)
	h := w.Header()
	if v.form == output.FormHTML {
		h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	}
	if v.verdict != "" {
		h.Set(VerdictHeader, string(v.verdict))
		if v.verdict != verify.Holds {
			status = http.StatusConflict
		}
	}
	if status != http.StatusOK && v.form == output.FormJSON {
		kind = problemKind
	}
	send(w, status, kind, v.body)
}

// conflicting has the members that make a report a problem as well.
type conflicting struct {
	Title  string `json:"title"`
	Status int    `json:"status"`
	Detail string `json:"detail"`
}

func conflict(detail string) conflicting {
	return conflicting{http.StatusText(http.StatusConflict), http.StatusConflict, detail}
}
