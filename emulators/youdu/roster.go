package youdu

// A roster is a list of accounts in which none stands twice.
type roster struct {
	list []string
	at   map[string]struct{} // of longer lists
}

// fewMembers is up to how many a list is searched from end to end.
const fewMembers = 16

// rosterOf is a list of accounts.
func rosterOf(accounts ...string) roster {
	r := roster{list: make([]string, 0, len(accounts))}
	for _, one := range accounts {
		r.add(one)
	}
	return r
}

// gather is first, if there is one, and the strings of more, a list as a
// request has it.
func rosterWith(first string, more any) roster {
	list, _ := more.([]any)
	r := roster{list: make([]string, 0, 1+len(list))}
	if first != "" {
		r.add(first)
	}
	for _, x := range list {
		if one, is := x.(string); is {
			r.add(one)
		}
	}
	return r
}

func (r *roster) has(one string) bool {
	if r.at != nil {
		_, there := r.at[one]
		return there
	}
	for _, other := range r.list {
		if other == one {
			return true
		}
	}
	return false
}

// add reports whether one was not there yet.
func (r *roster) add(one string) bool {
	if r.has(one) {
		return false
	}
	r.list = append(r.list, one)
	switch {
	case r.at != nil:
		r.at[one] = struct{}{}
	case len(r.list) > fewMembers:
		r.at = make(map[string]struct{}, 2*len(r.list))
		for _, other := range r.list {
			r.at[other] = struct{}{}
		}
	}
	return true
}

// without is the list without those in out, and who of out was in it.
func (r *roster) without(out roster) (left, gone []string) {
	for _, one := range r.list {
		if out.has(one) {
			gone = append(gone, one)
		} else {
			left = append(left, one)
		}
	}
	return left, gone
}
