package journal

import (
	"sync"
	"sync/atomic"
)

// A Budget limits the bytes of all journals together. Above the limit, the fullest
// journal drops entries first.
type Budget struct {
	limit int64
	total atomic.Int64
	lost  atomic.Int64 // entries that gave way to later ones

	mu       sync.Mutex
	journals map[*Journal]bool
}

// NewBudget returns a budget of so many bytes.
func NewBudget(limit int) *Budget {
	return &Budget{limit: int64(limit), journals: map[*Journal]bool{}}
}

// Lost returns how many entries of all journals gave way to later ones, those of
// journals that are gone among them.
func (b *Budget) Lost() int64 { return b.lost.Load() }

func (b *Budget) join(j *Journal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.journals[j] = true
}

func (b *Budget) leave(j *Journal) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.journals, j)
}

// grow adds bytes to the total, and drops entries above the limit. The caller
// holds no journal's lock.
func (b *Budget) grow(bytes int) {
	if b.total.Add(int64(bytes)) <= b.limit {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.total.Load() > b.limit {
		freed := b.fullest().dropOldest()
		if freed == 0 {
			return
		}
		b.total.Add(-int64(freed))
	}
}

func (b *Budget) fullest() *Journal {
	var fullest *Journal
	bytes := -1
	for j := range b.journals {
		if n := j.Counts().Bytes; n > bytes {
			fullest, bytes = j, n
		}
	}
	return fullest
}

// dropOldest drops the oldest eighth of the journal, at least one entry, and
// returns how many bytes that frees.
func (j *Journal) dropOldest() int {
	if j == nil {
		return 0
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	freed := 0
	for n := len(j.entries)/8 + 1; n > 0 && len(j.entries) > 0; n-- {
		freed += j.drop()
	}
	return freed
}
