package adobepass

import (
	"container/list"
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/golang-jwt/jwt/v5"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A queue keeps the records of one kind in the order in which they came, and
// those that no longer count apart.
type queue struct {
	counts, spent list.List
	size          int // of all records, in bytes
}

// A place is where a record stands in its queue.
type place struct {
	element *list.Element
	in      *list.List
	of      *queue
	size    int
}

// recordSize is what a record takes beside its texts, as indices and all.
const recordSize = 512

// push enters a record, with the texts that a client had it keep.
func (q *queue) push(record any, kept ...string) place {
	p := place{element: q.counts.PushBack(record), in: &q.counts, of: q}
	p.weigh(kept...)
	return p
}

// weigh tells what texts a record keeps now.
func (p *place) weigh(kept ...string) {
	size := recordSize
	for _, text := range kept {
		size += len(text)
	}
	p.of.size += size - p.size
	p.size = size
}

// spend tells that a record no longer counts.
func (q *queue) spend(p *place) {
	if p.in == &q.counts {
		record := p.in.Remove(p.element)
		p.element, p.in = q.spent.PushBack(record), &q.spent
	}
}

func (q *queue) len() int { return q.counts.Len() + q.spent.Len() }

// first is the record that gives way first; nil where there is none.
func (q *queue) first() any {
	for _, l := range [...]*list.List{&q.spent, &q.counts} {
		if e := l.Front(); e != nil {
			return e.Value
		}
	}
	return nil
}

func (p place) remove() {
	if p.in != nil {
		p.in.Remove(p.element)
		p.of.size -= p.size
	}
}

// Reindex rebuilds the indices.
func (st *state) Reindex() error {
	if err := st.reindexKeys(); err != nil {
		return err
	}
	var faults []error
	unique := func(what, id string, index map[string]int, i int) {
		if _, twice := index[id]; twice || id == "" {
			faults = append(faults, fmt.Errorf("%s: %.60q stands twice or is empty", what, id))
		}
		index[id] = i
	}
	st.statements, st.providers, st.mvpds, st.platform = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range st.Software {
		unique("software", st.Software[i].Statement, st.statements, i)
	}
	for i := range st.Providers {
		unique("service_providers", st.Providers[i].ID, st.providers, i)
	}
	for i := range st.MVPDs {
		m := &st.MVPDs[i]
		unique("mvpds", m.ID, st.mvpds, i)
		if m.PlatformMappingID != "" {
			unique("mvpds, platform_mapping_id", m.PlatformMappingID, st.platform, i)
		}
	}
	faults = append(faults, st.checkWords(), st.reindexRecords())
	st.forgetVerified()
	return errors.Join(faults...)
}

// checkWords refuses codes and rules that nobody knows: a denial by one would
// deny nothing.
func (st *state) checkWords() error {
	for i := range st.Users {
		if u := &st.Users[i]; u.Denied != "" && !slices.Contains(deniable, u.Denied) {
			return fmt.Errorf("users: %.60q is denied with the unknown code %.60q", u.Username, u.Denied)
		}
	}
	for i := range st.Denials {
		if d := &st.Denials[i]; d.Code != "" && !slices.Contains(deniable, d.Code) {
			return fmt.Errorf("denials: %.60q is denied with the unknown code %.60q", d.Resource, d.Code)
		}
	}
	for i := range st.Degradations {
		if d := &st.Degradations[i]; d.Rule != authNAll && d.Rule != authZAll && d.Rule != authZNone {
			return fmt.Errorf("degradations: the rule %.60q is unknown", d.Rule)
		}
	}
	return nil
}

func (st *state) reindexKeys() (err error) {
	st.key, st.serviceKeys, st.buckets = nil, map[string]*rsa.PublicKey{}, map[string]*bucket{}
	if st.SigningKey != "" {
		if st.key, err = jwt.ParseRSAPrivateKeyFromPEM([]byte(st.SigningKey)); err != nil {
			return fmt.Errorf("signing_key: %w", err)
		}
	}
	for _, k := range st.ServiceKeys {
		if st.serviceKeys[k.Issuer], err = jwt.ParseRSAPublicKeyFromPEM([]byte(k.PEM)); err != nil {
			return fmt.Errorf("service_token_keys: the key of %s: %w", k.Issuer, err)
		}
	}
	return nil
}

// forgetVerified leaves the fixture's own tokens as the only verified ones.
func (st *state) forgetVerified() {
	st.verified = map[[sha256.Size]byte]verified{}
	for _, t := range st.Tokens {
		st.verified[hashOf(t.Token)] = verified{client: t.Client, scoped: true}
	}
}

// reindexRecords puts what was remembered back into its queues, in the order
// in which it came.
func (st *state) reindexRecords() error {
	st.order = map[string]*queue{}
	for _, kind := range [...]string{clients, sessions, profilesKind, trials, logouts} {
		st.order[kind] = &queue{}
	}
	st.open, st.profiles, st.shared = map[creator]*session{}, map[holder]*profile{}, map[sso][]*profile{}
	st.byDevice, st.byIdentity = map[trialKey]*trial{}, map[trialKey]*trial{}
	return errors.Join(
		restore(st, clients, &st.Clients, func(one *client) (string, uint64) { return one.ID, one.Serial }, func(one *client) {
			if !one.Fixed {
				one.at = st.order[clients].push(one)
			}
		}),
		restore(st, sessions, &st.Sessions, func(s *session) (string, uint64) { return s.Code, s.Serial }, st.enterSession),
		restore(st, profilesKind, &st.Profiles, func(p *profile) (string, uint64) { return p.ID, p.Serial }, st.enterProfile),
		restore(st, trials, &st.Trials, func(t *trial) (string, uint64) { return t.ID, t.Serial }, st.enterTrial),
		restore(st, logouts, &st.Logouts, func(t *ticket) (string, uint64) { return t.ID, t.Serial }, func(t *ticket) {
			t.at = st.order[logouts].push(t, t.RedirectURL)
		}),
	)
}

// The kinds of what is remembered.
const (
	clients      = "clients"
	sessions     = "sessions"
	profilesKind = "profiles"
	trials       = "trials"
	logouts      = "logouts"
)

// restore enters the records of one kind in their order. It refuses one that
// does not say that it is itself, or that was remembered after the last.
func restore[T any](st *state, kind string, all *map[string]*T, name func(*T) (string, uint64), enter func(*T)) error {
	if *all == nil {
		*all = map[string]*T{}
	}
	serials := map[uint64]bool{}
	records := make([]*T, 0, len(*all))
	for _, key := range slices.Sorted(maps.Keys(*all)) {
		record := (*all)[key]
		if record == nil {
			return fmt.Errorf("%s: %q is null", kind, key)
		}
		id, serial := name(record)
		if id != key || serial > st.Serial || serials[serial] {
			return fmt.Errorf("%s: %q does not say that it is itself, or its serial %d is taken or beyond %d", kind, key, serial, st.Serial)
		}
		serials[serial] = true
		records = append(records, record)
	}
	slices.SortFunc(records, func(a, b *T) int {
		_, x := name(a)
		_, y := name(b)
		if x < y {
			return -1
		}
		return 1
	})
	for _, record := range records {
		enter(record)
	}
	return nil
}

// makeRoom has the record that gives way first go, where there are too many of
// a kind.
func (st *state) makeRoom(kind string, c *contract.Call) {
	q := st.order[kind]
	most, size := st.bounds()
	for q.len() >= most || q.size > size {
		switch r := q.first().(type) {
		case *client:
			delete(st.Clients, r.ID)
			r.at.remove()
			c.Forget(r.ID)
		case *session:
			st.drop(c, r)
		case *profile:
			st.remove(r)
		case *trial:
			st.removeTrial(r)
		case *ticket:
			st.punch(c, r)
		}
	}
}

// bounds are most and mostBytes, as long as a test does not make the world
// smaller.
func (st *state) bounds() (records, bytes int) {
	if st.small > 0 {
		return st.small, st.small * recordSize * 2
	}
	return most, mostBytes
}
