package verify

import "context"

// A doubtful trial is of a check of which it is not known where it begins.
type doubtful struct {
	check  *Check
	result Result
}

func (d *doubtful) see(*call) {}

func (d *doubtful) judge(context.Context, *World) {
	d.result = Result{
		Name: d.check.Name, Verdict: Insufficient, Expected: d.check.expected(),
		Why: untold(0, []string{"since " + d.check.Doubt}),
	}
}

func (d *doubtful) rank(*call) {}

func (d *doubtful) results() []*Result { return []*Result{&d.result} }
