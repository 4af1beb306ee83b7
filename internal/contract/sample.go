package contract

// Sample says something that the table accepts: each row's documented
// example, and for required rows without one a plain value of their type.
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
	if x, ok := p.Type.parse(p.Example); ok && p.Example != "" {
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
