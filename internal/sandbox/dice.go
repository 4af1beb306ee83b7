package sandbox

import (
	"math/rand/v2"

	"github.com/understudy-suite/understudy/internal/contract"
)

// pcgSource feeds the dice. PCG costs nothing to seed, unlike the source that
// math/rand brings.
type pcgSource struct{ rand.PCG }

func (s *pcgSource) Int63() int64 { return int64(s.Uint64() >> 1) }

// Seed is part of rand.Source; nothing here calls it.
func (s *pcgSource) Seed(seed int64) { s.PCG.Seed(uint64(seed), 0) }

// seeded are dice and their source, made at once.
type seeded struct {
	contract.Dice

	source pcgSource
}

// newDice returns dice seeded by numbers and keys: equal ones give equal dice.
func newDice(seed, n uint64, keys ...string) *contract.Dice {
	d := &seeded{}
	d.source.PCG.Seed(seedOf(seed, keys), n)
	d.Dice = *contract.NewDice(&d.source)
	return &d.Dice
}

// seedOf is FNV-1a over the seed and the keys, each closed by a zero byte so
// that "a","bc" and "ab","c" differ.
func seedOf(seed uint64, keys []string) uint64 {
	const prime = 1099511628211
	h := uint64(14695981039346656037)
	for i := 0; i < 64; i += 8 {
		h = (h ^ (seed >> i & 0xff)) * prime
	}
	for _, w := range keys {
		for i := range len(w) {
			h = (h ^ uint64(w[i])) * prime
		}
		h *= prime
	}
	return h
}
