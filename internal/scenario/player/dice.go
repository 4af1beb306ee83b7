package player

import (
	"math"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/scenario"
)

// Chance has dice of its own, by the sandbox's seed, the scenario, the rule
// and how many-th throw of the rule it is. Nothing else that happens shifts
// them, and a rule that is rewound throws the same again.

// seed mixes a sandbox's seed with the name of a scenario and the number of a
// rule: FNV-1a, each text closed by a zero byte.
func seed(sandbox uint64, scenario string, rule int) uint64 {
	const prime = 1099511628211
	h := sandbox ^ 14695981039346656037
	for _, word := range [...]string{"chance", scenario, strconv.Itoa(rule)} {
		for i := range len(word) {
			h = (h ^ uint64(word[i])) * prime
		}
		h *= prime
	}
	return h
}

// throw is the n-th throw of dice with a seed, at least 0 and below 1:
// SplitMix64, whose state is the seed and n.
func throw(seed, n uint64) float64 {
	z := seed + n*0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	z ^= z >> 31
	return float64(z>>11) / (1 << 53)
}

// forDelay keeps the throws for delays apart from those for chance.
const forDelay = 0x64656c6179

// maxDelay is the longest delay that dice can throw. What is served cuts delays
// much earlier.
const maxDelay = 24 * time.Hour

// roll is how long the n-th answer of a rule is held back.
func roll(d scenario.Delay, seed, n uint64) time.Duration {
	switch {
	case d.Max > 0:
		return d.Min + time.Duration(throw(seed^forDelay, 2*n)*float64(d.Max-d.Min+1))
	case d.Median > 0:
		// Box-Muller: 1-u is never 0, whose logarithm is none.
		u, v := throw(seed^forDelay, 2*n), throw(seed^forDelay, 2*n+1)
		normal := math.Sqrt(-2*math.Log(1-u)) * math.Cos(2*math.Pi*v)
		return time.Duration(min(float64(d.Median)*math.Exp(d.Sigma*normal), float64(maxDelay)))
	}
	return d.Fixed
}
