package adobepass

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The documented rate limit: one request a second for each device, after a burst
// of ten. A full bucket of eleven that refills continuously gives exactly the
// page's timeline. A queue of ten does not.
const (
	bucketSize = 11
	maxBuckets = 4096
)

// A bucket counts the requests that a device may still send. Snapshots do not
// contain it: a restored sandbox begins with full buckets.
type bucket struct {
	remaining float64
	updated   time.Time
}

var overRateLimit = &contract.Cause{Code: "throttled", Text: "The device {address} has sent more than one request a second and used its burst of ten. It is known by its address, or by the first of X-Forwarded-For. The switch throttle is off by default."}

// checkRateLimit takes one request from the device's bucket. The bucket refills
// by the wall clock, because the sandbox's clock may be frozen.
func checkRateLimit(c *contract.Call) contract.Verdict {
	if !c.Switches.Bool("throttle") || c.Request.Method == http.MethodOptions {
		return contract.Verdict{}
	}
	if p := c.Request.URL.Path; !strings.HasPrefix(p, apiPath) && !strings.HasPrefix(p, dcrPath) {
		return contract.Verdict{}
	}
	host, _ := deviceAddress(c.Request)
	allowed, refills := false, c.Switches.Bool("burst_refills")
	c.WithState(func() { allowed = c.State.(*state).allowRequest(host, c.Wall(), refills) })
	if !allowed {
		return tooManyRequests.Because(overRateLimit, "address", host)
	}
	return contract.Verdict{}
}

// allowRequest takes one request from a bucket. It returns false where none is
// left.
func (st *state) allowRequest(host string, now time.Time, refills bool) bool {
	b := st.buckets[host]
	if b == nil {
		if len(st.buckets) >= maxBuckets {
			st.dropFullBuckets(now)
		}
		b = &bucket{remaining: bucketSize, updated: now}
		st.buckets[host] = b
	}
	size := float64(bucketSize)
	if !refills {
		size = max(b.remaining, 1)
	}
	b.remaining = min(size, b.remaining+max(0, now.Sub(b.updated).Seconds()))
	b.updated = now
	if b.remaining < 1-1e-9 {
		return false
	}
	b.remaining--
	return true
}

// dropFullBuckets drops the full buckets. Where none is full, it drops all of
// them.
func (st *state) dropFullBuckets(now time.Time) {
	maps.DeleteFunc(st.buckets, func(_ string, b *bucket) bool {
		return b.remaining+now.Sub(b.updated).Seconds() >= bucketSize
	})
	if len(st.buckets) >= maxBuckets {
		clear(st.buckets)
	}
}
