package wire

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
)

// A Patch is merged into a JSON object. Members that the object has keep their
// place; new ones follow in the patch's order.
type Patch []Member

// A Member is one member of a Patch.
type Member struct {
	Name  string
	Value json.RawMessage // the new value; nil: the member is removed
	Inner Patch           // not nil: merged into the object that is there
}

// Over merges the patch into body, which holds a JSON object or nothing.
func (p Patch) Over(body []byte) ([]byte, error) {
	if len(p) == 0 {
		return body, nil
	}
	members, err := split(body)
	if err != nil {
		return nil, err
	}
	for _, m := range p {
		if members, err = m.over(members); err != nil {
			return nil, fmt.Errorf("%s: %w", m.Name, err)
		}
	}
	return join(members), nil
}

func (m Member) over(members []Member) ([]Member, error) {
	at := -1
	for i := range members {
		if members[i].Name == m.Name {
			at = i
		}
	}
	value := m.Value
	if m.Inner != nil {
		var below []byte
		if at >= 0 && bytes.HasPrefix(members[at].Value, []byte("{")) {
			below = members[at].Value
		}
		var err error
		if value, err = m.Inner.Over(below); err != nil {
			return nil, err
		}
	}
	switch {
	case at >= 0 && value == nil:
		return append(members[:at], members[at+1:]...), nil
	case at >= 0:
		members[at].Value = value
	case value != nil:
		members = append(members, Member{Name: m.Name, Value: value})
	}
	return members, nil
}

// Take takes the members with these names out of a JSON object.
func Take(body []byte, names ...string) (rest []byte, taken map[string]json.RawMessage, err error) {
	members, err := split(body)
	if err != nil {
		return nil, nil, err
	}
	taken = map[string]json.RawMessage{}
	var kept []Member
	for _, m := range members {
		if slices.Contains(names, m.Name) {
			taken[m.Name] = m.Value
			continue
		}
		kept = append(kept, m)
	}
	return join(kept), taken, nil
}

// split reads a JSON object's members in their order.
func split(body []byte) ([]Member, error) {
	if len(body) == 0 {
		return nil, nil
	}
	dec := json.NewDecoder(bytes.NewReader(body))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, fmt.Errorf("fields can be laid over an object only, and this is %.20q", body)
	}
	var members []Member
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, err
		}
		m := Member{Name: name.(string)}
		if err := dec.Decode(&m.Value); err != nil {
			return nil, err
		}
		members = append(members, m)
	}
	return members, nil
}

func join(members []Member) []byte {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, m := range members {
		if i > 0 {
			b.WriteByte(',')
		}
		b.Write(Encode(m.Name))
		b.WriteByte(':')
		b.Write(m.Value)
	}
	b.WriteByte('}')
	return b.Bytes()
}
