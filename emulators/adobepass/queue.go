package adobepass

import (
	"container/list"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The kinds of records.
const (
	clientKind  = "clients"
	sessionKind = "sessions"
	profileKind = "profiles"
	trialKind   = "trials"
	logoutKind  = "logouts"
)

// A queue holds the records of one kind in the order of their creation. Records
// that are no longer valid are in a list of their own.
type queue struct {
	live, retired list.List
	size          int  // bytes of all records
	all           *int // bytes of the records of all kinds
	cost          int  // bytes of a record without its texts
}

// A queueEntry is the position of a record in its queue.
type queueEntry struct {
	element *list.Element
	list    *list.List
	queue   *queue
	size    int
}

// recordCosts are about how many bytes a record of each kind takes without its texts:
// itself and its share of lists, indices and the directory.
var recordCosts = map[string]int{clientKind: 320, sessionKind: 600, profileKind: 560, trialKind: 512, logoutKind: 256}

// push appends a record. kept are the texts that it stores for a client.
func (q *queue) push(record any, kept ...string) queueEntry {
	p := queueEntry{element: q.live.PushBack(record), list: &q.live, queue: q}
	p.resize(kept...)
	return p
}

// resize sets the size of a record from the texts that it stores now.
func (p *queueEntry) resize(kept ...string) {
	size := p.queue.cost
	for _, text := range kept {
		size += len(text)
	}
	p.queue.size += size - p.size
	*p.queue.all += size - p.size
	p.size = size
}

// retire marks a record as no longer valid, so that it is evicted before the
// valid ones.
func (q *queue) retire(p *queueEntry) {
	if p.list == &q.live {
		record := p.list.Remove(p.element)
		p.element, p.list = q.retired.PushBack(record), &q.retired
	}
}

func (q *queue) len() int { return q.live.Len() + q.retired.Len() }

// nextToEvict returns the record that is evicted next, or nil.
func (q *queue) nextToEvict() any {
	for _, l := range [...]*list.List{&q.retired, &q.live} {
		if e := l.Front(); e != nil {
			return e.Value
		}
	}
	return nil
}

// remove takes the record out of its queue.
func (p queueEntry) remove() {
	if p.list != nil {
		p.list.Remove(p.element)
		p.queue.size -= p.size
		*p.queue.all -= p.size
	}
}

// About how many bytes a verified token and the bucket of an address take.
const (
	verifiedCost = 160
	bucketCost   = 160
)

// Weight returns about how many bytes records, verified tokens and buckets take.
func (st *state) Weight() int64 {
	return int64(st.recordBytes + verifiedCost*len(st.verified) + bucketCost*len(st.buckets))
}

// makeRoom evicts records of a kind until one more fits.
func (st *state) makeRoom(kind string, c *contract.Call) {
	q := st.queues[kind]
	most, size := st.bounds()
	for q.len() >= most || q.size > size {
		switch r := q.nextToEvict().(type) {
		case *client:
			delete(st.Clients, r.ID)
			r.entry.remove()
			c.Forget(r.ID)
		case *session:
			st.removeSession(c, r)
		case *profile:
			st.removeProfile(r)
		case *trial:
			st.removeTrial(r)
		case *pendingLogout:
			st.removeLogout(c, r)
		}
	}
}

// bounds returns maxRecords and maxBytes, or the smaller limits of a test.
func (st *state) bounds() (records, bytes int) {
	if st.testLimit > 0 {
		return st.testLimit, st.testLimit << 10
	}
	return maxRecords, maxBytes
}
