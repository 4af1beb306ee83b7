package library

import (
	"encoding/json"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A version is one text of a scenario, which has no fault. Of thousands of files few
// are ever switched on, and every pointer is followed in each garbage collection. So
// the scenario is not kept, but made anew when it is first asked for.
type version struct {
	file   string
	texts  string             // what the file says, and then what a list says of it, as JSON
	size   int                // of what the file says, in bytes
	parsed *scenario.Scenario // nil: nobody asked for it; guarded by Library.mu
}

// newVersion returns the version that a scenario was read from.
func newVersion(s *scenario.Scenario) *version {
	line, err := json.Marshal(Listed{API: s.API, Description: s.Description, Tags: s.Tags, Rules: len(s.Rules), Operations: s.Operations()})
	if err != nil {
		panic("scenario: " + err.Error()) // texts and numbers can be encoded
	}
	return &version{file: s.File, texts: s.Text + string(line), size: len(s.Text)}
}

func (v *version) text() string { return v.texts[:v.size] }

// listed is the line of a list but for what depends on where the file is.
func (v *version) listed() (line Listed) {
	if err := json.Unmarshal([]byte(v.texts[v.size:]), &line); err != nil {
		panic("scenario: " + err.Error()) // newVersion wrote it
	}
	return line
}

// scenario returns the scenario, always the same one. The caller holds Library.mu.
func (v *version) scenario(apis []*contract.API) *scenario.Scenario {
	if v.parsed == nil {
		s, err := scenario.Parse(v.file, []byte(v.text()), apis)
		if err != nil {
			panic("scenario: " + err.Error()) // it had no fault when it was read
		}
		s.Text, s.FromLibrary = v.text(), true
		v.parsed = s
	}
	return v.parsed
}
