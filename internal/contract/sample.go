package contract

import "encoding/json"

// Sample returns values that the rows accept: each row's documented example, and
// for required rows without one a plain value of their type. The example of a list
// or an object is JSON.
func Sample(table []Param) Values {
	in := Values{}
	for i := range table {
		p := &table[i]
		if p.Example != "" || p.Need != Optional {
			in[p.Name] = p.sample()
		}
	}
	return in
}

func (p *Param) sample() any {
	if x, ok := p.example(); ok {
		return x
	}
	if len(p.OneOf) > 0 {
		return p.OneOf[0]
	}
	switch p.Type {
	case Integer:
		return int64(max(p.Min, 1))
	case Number:
		return 1.5
	case Boolean:
		return true
	case List:
		element := Param{Type: p.Of, Fields: p.Fields}
		return []any{element.sample()}
	case Object:
		return Sample(p.Fields)
	}
	return "text"
}

// example returns the documented example as a value of the row's type.
func (p *Param) example() (any, bool) {
	if p.Example == "" {
		return nil, false
	}
	if p.Type != List && p.Type != Object {
		return p.Type.parse(p.Example)
	}
	var x any
	if json.Unmarshal([]byte(p.Example), &x) != nil {
		return nil, false
	}
	return p.Type.Convert(x)
}
