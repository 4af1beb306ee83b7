package adobepass

import (
	"container/list"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The kinds of what is remembered.
const (
	clientKind  = "clients"
	sessionKind = "sessions"
	profileKind = "profiles"
	trialKind   = "trials"
	logoutKind  = "logouts"
)

// A queue keeps the records of one kind in the order in which they came, and
// those that no longer count apart.
type queue struct {
	live, retired list.List
	size          int // of all records, in bytes
}

// A place is where a record stands in its queue.
type queueEntry struct {
	element *list.Element
	list    *list.List
	queue   *queue
	size    int
}

// recordSize is what a record takes beside its texts, as indices and all.
const recordOverhead = 512

// push enters a record, with the texts that a client had it keep.
func (q *queue) push(record any, kept ...string) queueEntry {
	p := queueEntry{element: q.live.PushBack(record), list: &q.live, queue: q}
	p.resize(kept...)
	return p
}

// weigh tells what texts a record keeps now.
func (p *queueEntry) resize(kept ...string) {
	size := recordOverhead
	for _, text := range kept {
		size += len(text)
	}
	p.queue.size += size - p.size
	p.size = size
}

// spend tells that a record no longer counts.
func (q *queue) retire(p *queueEntry) {
	if p.list == &q.live {
		record := p.list.Remove(p.element)
		p.element, p.list = q.retired.PushBack(record), &q.retired
	}
}

func (q *queue) len() int { return q.live.Len() + q.retired.Len() }

// first is the record that gives way first; nil where there is none.
func (q *queue) nextToEvict() any {
	for _, l := range [...]*list.List{&q.retired, &q.live} {
		if e := l.Front(); e != nil {
			return e.Value
		}
	}
	return nil
}

func (p queueEntry) remove() {
	if p.list != nil {
		p.list.Remove(p.element)
		p.queue.size -= p.size
	}
}

// makeRoom has the record that gives way first go, where there are too many of
// a kind.
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

// bounds are most and mostBytes, as long as a test does not make the world
// smaller.
func (st *state) bounds() (records, bytes int) {
	if st.testLimit > 0 {
		return st.testLimit, st.testLimit * recordOverhead * 2
	}
	return maxRecords, maxBytes
}
