package youdu

// A roster is a list of accounts without duplicates.
type roster struct {
	list []string
	set  map[string]struct{} // the accounts of a long list; nil: the list is searched
}

// fewMembers is the greatest length of a list that is searched without a map.
const fewMembers = 16

// rosterOf makes a roster of accounts.
func rosterOf(accounts ...string) roster {
	r := roster{list: make([]string, 0, len(accounts))}
	for _, account := range accounts {
		r.add(account)
	}
	return r
}

// rosterWith makes a roster of first, unless it is empty, and of the strings in
// more, a list of a request.
func rosterWith(first string, more any) roster {
	list, _ := more.([]any)
	r := roster{list: make([]string, 0, 1+len(list))}
	if first != "" {
		r.add(first)
	}
	for _, x := range list {
		if account, is := x.(string); is {
			r.add(account)
		}
	}
	return r
}

// has reports whether an account is in the roster.
func (r *roster) has(account string) bool {
	if r.set != nil {
		_, there := r.set[account]
		return there
	}
	for _, other := range r.list {
		if other == account {
			return true
		}
	}
	return false
}

// add adds an account, and reports whether it was new.
func (r *roster) add(account string) bool {
	if r.has(account) {
		return false
	}
	r.list = append(r.list, account)
	switch {
	case r.set != nil:
		r.set[account] = struct{}{}
	case len(r.list) > fewMembers:
		r.set = make(map[string]struct{}, 2*len(r.list))
		for _, other := range r.list {
			r.set[other] = struct{}{}
		}
	}
	return true
}

// without splits the list into the accounts that are not in out and those that
// are.
func (r *roster) without(out roster) (left, removed []string) {
	for _, account := range r.list {
		if out.has(account) {
			removed = append(removed, account)
		} else {
			left = append(left, account)
		}
	}
	return left, removed
}
