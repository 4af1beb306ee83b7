package library

import (
	"bytes"
	"encoding/binary"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/scenario"
)

// A version is one text of a scenario, which has no fault. Of thousands of files few
// are ever switched on, and every pointer is followed in each garbage collection. So
// the scenario is not kept, but made anew when it is first asked for.
type version struct {
	file   string
	text   []byte             // what the file says
	listed []byte             // what a list says of it: the bytes behind text
	parsed *scenario.Scenario // nil: nobody asked for it; guarded by Library.mu
}

// newVersion returns the version that a scenario was read from.
func newVersion(s *scenario.Scenario) *version {
	b := append(make([]byte, 0, len(s.Text)+len(s.Description)+128), s.Text...)
	b = binary.AppendUvarint(b, uint64(len(s.Rules)))
	b = appendTexts(b, s.API, s.Description)
	b = appendTexts(b, s.Tags...)
	b = appendTexts(b, s.Operations()...)
	b, size := bytes.Clone(b), len(s.Text) // without what append left free
	return &version{file: s.File, text: b[:size], listed: b[size:]}
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
type unread []byte

func (u *unread) texts() []string {
	var all []string
	for n := u.number(); n > 0; n-- {
		length := u.number()
		all, *u = append(all, string((*u)[:length])), (*u)[length:]
	}
	return all
}

func (u *unread) number() uint64 {
	n, length := binary.Uvarint(*u)
	*u = (*u)[length:]
	return n
}

// scenario returns the scenario, always the same one. The caller holds Library.mu.
func (v *version) scenario(apis []*contract.API) *scenario.Scenario {
	if v.parsed == nil {
		s, err := scenario.Parse(v.file, v.text, apis)
		if err != nil {
			panic("scenario: " + err.Error()) // it had no fault when it was read
		}
		s.FromLibrary = true
		v.parsed = s
	}
	return v.parsed
}
