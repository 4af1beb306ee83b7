package control

import (
	"bytes"
	"fmt"
	"net/http"
	"strconv"

	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
)

// coverageQuery are the query parameters of a report of coverage.
var coverageQuery = []string{"format", "all", "uncalled"}

// page is an answer that is no JSON.
type page struct {
	kind string
	body []byte
}

func (p page) ServeHTTP(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
	send(w, http.StatusOK, p.kind, p.body)
}

// mediaTypes are those of the forms in which tables are printed.
var mediaTypes = map[string]string{
	coverage.FormText: "text/plain; charset=utf-8", output.FormMarkdown: "text/markdown; charset=utf-8",
	coverage.FormJUnit: "application/xml", coverage.FormHTML: "text/html; charset=utf-8",
}

func (s *Server) getCoverage(a *request, box *sandbox.Sandbox) (any, error) {
	all, err := a.flag("all")
	if err != nil {
		return nil, err
	}
	uncalled, err := a.flag("uncalled")
	if err != nil {
		return nil, err
	}
	var r *coverage.Report
	if all {
		r = s.config.Registry.Coverage.Report()
	} else {
		r = box.Coverage.Report()
		r.Sandbox = box.Name
	}
	r.Understudy = s.config.Version
	r.Settle(uncalled)
	form, given := a.query["format"]
	if !given || form == output.FormJSON {
		return r, nil
	}
	kind, known := mediaTypes[form]
	if !known {
		return nil, refuse(http.StatusBadRequest, "there is no format %s%s", quote(form), hint(form, coverage.Forms))
	}
	var b bytes.Buffer
	if err := r.Print(&b, form, 0); err != nil {
		return nil, fmt.Errorf("coverage of sandbox %s: %w", box.Name, err)
	}
	return page{kind, b.Bytes()}, nil
}

// flag reads a query parameter that is true or false; false where it is not given.
func (a *request) flag(name string) (bool, error) {
	value, given := a.query[name]
	if !given {
		return false, nil
	}
	on, err := strconv.ParseBool(value)
	if err != nil {
		return false, refuse(http.StatusBadRequest, "%s is %s; true or false was expected", name, quote(value))
	}
	return on, nil
}
