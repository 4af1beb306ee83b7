package control

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"

	"github.com/understudy-suite/understudy/internal/coverage"
	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/sandbox"
	"github.com/understudy-suite/understudy/internal/verify"
	"github.com/understudy-suite/understudy/internal/wire"
)

// coverageQuery are the query parameters of a report of coverage.
var coverageQuery = []string{"format", "all", "uncalled", "fail_under"}

// waiversBody is a document of waivers as JSON, as the OpenAPI document describes it.
// coverage reads it.
type waiversBody struct {
	Waivers []struct {
		API       string `json:"api"`
		Operation string `json:"operation,omitempty" doc:"left out where the outcome is common to all operations"`
		Outcome   string `json:"outcome"`
		Reason    string `json:"reason"`
		Until     string `json:"until" doc:"the last day on which the outcome need not be met: 2026-12-31"`
	} `json:"waivers"`
}

// getCoverage answers with a report.
func (s *Server) getCoverage(a *request, box *sandbox.Sandbox) (any, error) {
	return s.reportCoverage(a, box, nil)
}

// postCoverage answers with a report from which the waivers of the body are taken out.
func (s *Server) postCoverage(a *request, box *sandbox.Sandbox) (any, error) {
	text, err := a.body()
	if err != nil {
		return nil, err
	}
	if bytes.ContainsRune(text, '\t') && json.Valid(text) { // which YAML reads otherwise
		if x, err := wire.Value(text); err == nil {
			text = wire.Encode(x)
		}
	}
	waivers, err := s.config.Registry.Coverage.Catalogue().ParseWaivers("waivers", text, s.config.Registry.Wall())
	if err != nil {
		return nil, faultsProblem("document of waivers", err)
	}
	return s.reportCoverage(a, box, waivers)
}

func (s *Server) reportCoverage(a *request, box *sandbox.Sandbox, waivers coverage.Waivers) (any, error) {
	form, err := a.form(coverage.Forms)
	if err != nil {
		return nil, err
	}
	all, err := a.flag("all")
	if err != nil {
		return nil, err
	}
	uncalled, err := a.flag("uncalled")
	if err != nil {
		return nil, err
	}
	least, judged, err := a.failUnder()
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
	r.Waive(waivers)
	answer := &verdictAnswer{form: form}
	var lacking error
	if judged {
		answer.verdict, lacking = judge(r, least)
	}
	if form == output.FormJSON {
		answer.body = wire.Encode(r)
		if lacking != nil {
			answer.body = wire.Encode(coverageProblem{conflict(lacking.Error()), r})
		}
		return answer, nil
	}
	var b bytes.Buffer
	if err := r.Print(&b, form, least); err != nil {
		return nil, fmt.Errorf("coverage of sandbox %s: %w", box.Name, err)
	}
	answer.body = b.Bytes()
	return answer, nil
}

// coverageProblem is a report as the problem that it does not suffice.
type coverageProblem struct {
	conflicting
	*coverage.Report
}

// judge returns the verdict on a report, and why it is not that all holds.
func judge(r *coverage.Report, least float64) (verify.Verdict, error) {
	err := r.Judge(least)
	switch {
	case err == nil:
		return verify.Holds, nil
	case errors.Is(err, coverage.ErrNoCalls):
		return verify.Insufficient, err
	}
	return verify.Fails, err
}

// failUnder reads how many percent are asked for, where any are.
func (a *request) failUnder() (least float64, given bool, err error) {
	text, given := a.query["fail_under"]
	if !given {
		return 0, false, nil
	}
	if least, err = strconv.ParseFloat(text, 64); err == nil {
		err = coverage.CheckShare(least)
	}
	if err != nil {
		return 0, false, refuse(http.StatusBadRequest, "fail_under is %s; a number of percent from 0 to 100 was expected", quote(text))
	}
	return least, true, nil
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
