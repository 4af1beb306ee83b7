package library

import (
	"encoding/binary"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A version is one text of a scenario, which has no fault. Of thousands of files few
// are ever switched on, and every pointer is followed in each garbage collection. So
// the scenario is not kept, but made anew when it is first asked for.
type version struct {
	file   string
	text   string             // what the file says
	listed string             // what a list says of it: the bytes behind text
	parsed *scenario.Scenario // nil: nobody asked for it; guarded by Library.mu
}

// newVersion returns the version that a scenario was read from, and has the scenario share
// its text.
func newVersion(s *scenario.Scenario) *version {
	b := append(make([]byte, 0, len(s.Text)+len(s.Description)+128), s.Text...)
	b = binary.AppendUvarint(b, uint64(len(s.Rules)))
	b = appendTexts(b, s.API, s.Description)
	b = appendTexts(b, s.Tags...)
	b = appendTexts(b, s.Operations()...)
	both, size := string(b), len(s.Text)
	s.Text = both[:size]
	return &version{file: s.File, text: s.Text, listed: both[size:]}
}

// appendTexts appends texts: how many they are, and each after its length.
func appendTexts(b []byte, all ...string) []byte {
	b = binary.AppendUvarint(b, uint64(len(all)))
	for _, text := range all {
		b = append(binary.AppendUvarint(b, uint64(len(text))), text...)
	}
	return b
}

// line is the line of a list but for what depends on where the file is.
func (v *version) line() Listed {
	rest := unread(v.listed)
	line := Listed{Rules: int(rest.number())}
	named := rest.texts()
	line.API, line.Description = named[0], named[1]
	line.Tags, line.Operations = rest.texts(), rest.texts()
	return line
}

// unread is what newVersion wrote of a list's line, and was not read yet.
type unread string

func (u *unread) texts() []string {
	var all []string
	for n := u.number(); n > 0; n-- {
		length := u.number()
		all, *u = append(all, string((*u)[:length])), (*u)[length:]
	}
	return all
}

func (u *unread) number() uint64 {
	n, length := binary.Uvarint([]byte((*u)[:min(len(*u), binary.MaxVarintLen64)]))
	*u = (*u)[length:]
	return n
}

// scenario returns the scenario, always the same one. The caller holds Library.mu.
func (v *version) scenario(apis []*contract.API) *scenario.Scenario {
	if v.parsed == nil {
		s, err := scenario.Parse(v.file, []byte(v.text), apis)
		if err != nil {
			panic("scenario: " + err.Error()) // it had no fault when it was read
		}
		s.Text, s.FromLibrary = v.text, true
		v.parsed = s
	}
	return v.parsed
}
