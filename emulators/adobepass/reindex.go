package adobepass

import (
	"crypto/rsa"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync/atomic"

	"github.com/golang-jwt/jwt/v5"
)

// Reindex rebuilds the indices from the exported fields.
func (st *state) Reindex() error {
	if err := st.reindexKeys(); err != nil {
		return err
	}
	var faults []error
	unique := func(what, id string, index map[string]int, i int) {
		if _, twice := index[id]; twice || id == "" {
			faults = append(faults, fmt.Errorf("%s: %.60q appears twice or is empty", what, id))
		}
		index[id] = i
	}
	st.softwareByStatement, st.providersByID, st.mvpdsByID, st.mvpdsByMappingID = map[string]int{}, map[string]int{}, map[string]int{}, map[string]int{}
	for i := range st.Software {
		unique("software", st.Software[i].Statement, st.softwareByStatement, i)
	}
	for i := range st.Providers {
		unique("service_providers", st.Providers[i].ID, st.providersByID, i)
	}
	for i := range st.MVPDs {
		m := &st.MVPDs[i]
		unique("mvpds", m.ID, st.mvpdsByID, i)
		if m.PlatformMappingID != "" {
			unique("mvpds, platform_mapping_id", m.PlatformMappingID, st.mvpdsByMappingID, i)
		}
	}
	faults = append(faults, st.checkCodes(), st.checkIntegrations())
	records := st.reindexRecords()
	if records == nil {
		records = st.checkRecords()
	}
	faults = append(faults, records)
	st.resetVerified()
	return errors.Join(faults...)
}

// checkCodes refuses unknown codes and rules, because a denial with an unknown
// code would deny nothing.
func (st *state) checkCodes() error {
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

// checkIntegrations refuses service providers with an MVPD that is not there.
func (st *state) checkIntegrations() error {
	for _, p := range st.Providers {
		for _, id := range p.MVPDs {
			if st.mvpd(id) == nil {
				return fmt.Errorf("service_providers: %.60q has the MVPD %.60q, which is not among mvpds", p.ID, id)
			}
		}
	}
	return nil
}

// checkRecords refuses records whose times no clock shows, and profiles of nobody.
func (st *state) checkRecords() error {
	for id, s := range st.Sessions {
		if !s.plausible() {
			return fmt.Errorf("sessions: the times of %.60q are not within the years 1 to 9999", id)
		}
	}
	for id, p := range st.Profiles {
		if !p.plausible() {
			return fmt.Errorf("profiles: the times of %.60q are not within the years 1 to 9999", id)
		}
		if p.MVPD == "" || p.ServiceProvider == "" {
			return fmt.Errorf("profiles: %.60q has no mvpd or no service_provider", id)
		}
	}
	for id, t := range st.Trials {
		if !t.plausible() {
			return fmt.Errorf("trials: the times of %.60q are not within the years 1 to 9999", id)
		}
	}
	return nil
}

// reindexKeys parses the keys.
func (st *state) reindexKeys() (err error) {
	st.key, st.serviceKeys, st.buckets = nil, map[string]*rsa.PublicKey{}, map[string]*bucket{}
	if st.SigningKey != "" {
		if st.key, err = parseSigningKey(st.SigningKey); err != nil {
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

// A parsedKey is a private key and the text that it was read from.
type parsedKey struct {
	text string
	key  *rsa.PrivateKey
}

// latestKey is the signing key that was parsed last. Sandboxes share that of their
// fixture, and parsing checks it anew, which takes a third of making a sandbox.
var latestKey atomic.Pointer[parsedKey]

func parseSigningKey(text string) (*rsa.PrivateKey, error) {
	if latest := latestKey.Load(); latest != nil && latest.text == text {
		return latest.key, nil
	}
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(text))
	if err == nil {
		latestKey.Store(&parsedKey{text, key})
	}
	return key, err
}

// resetVerified forgets all verified tokens but the fixture's own.
func (st *state) resetVerified() {
	st.verified = map[[sha256.Size]byte]verifiedToken{}
	for _, t := range st.Tokens {
		st.verified[hashToken(t.Token)] = verifiedToken{client: t.Client, issued: t.Issued, expires: t.Expires, scoped: true}
	}
}

// reindexRecords rebuilds the queues and the indices of all records, in the
// order of their creation.
func (st *state) reindexRecords() error {
	st.queues, st.recordBytes = map[string]*queue{}, 0
	for kind, cost := range recordCosts {
		st.queues[kind] = &queue{all: &st.recordBytes, cost: cost}
	}
	st.unfinished, st.profilesByHolder, st.profilesBySSO = map[creator]*session{}, map[holder]*profile{}, map[sso][]*profile{}
	st.trialsByDevice, st.trialsByIdentity = map[trialKey]*trial{}, map[trialKey]*trial{}
	return errors.Join(
		restoreRecords(st, clientKind, &st.Clients, func(one *client) (string, uint64) { return one.ID, one.Serial }, func(one *client) {
			if !one.Fixed {
				one.entry = st.queues[clientKind].push(one)
			}
		}),
		restoreRecords(st, sessionKind, &st.Sessions, func(s *session) (string, uint64) { return s.Code, s.Serial }, st.indexSession),
		restoreRecords(st, profileKind, &st.Profiles, func(p *profile) (string, uint64) { return p.ID, p.Serial }, st.indexProfile),
		restoreRecords(st, trialKind, &st.Trials, func(t *trial) (string, uint64) { return t.ID, t.Serial }, st.indexTrial),
		restoreRecords(st, logoutKind, &st.Logouts, func(t *pendingLogout) (string, uint64) { return t.ID, t.Serial }, func(t *pendingLogout) {
			t.entry = st.queues[logoutKind].push(t, t.RedirectURL)
		}),
	)
}

// restoreRecords indexes the records of one kind in their order. It refuses a
// record whose id differs from its key, and one whose serial is taken or higher
// than the last.
func restoreRecords[T any](st *state, kind string, all *map[string]*T, identify func(*T) (string, uint64), index func(*T)) error {
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
		id, serial := identify(record)
		if id != key || serial > st.Serial || serials[serial] {
			return fmt.Errorf("%s: the id of %q differs from its key, or its serial %d is taken or higher than %d", kind, key, serial, st.Serial)
		}
		serials[serial] = true
		records = append(records, record)
	}
	slices.SortFunc(records, func(a, b *T) int {
		_, x := identify(a)
		_, y := identify(b)
		if x < y {
			return -1
		}
		return 1
	})
	for _, record := range records {
		index(record)
	}
	return nil
}
