package adobepass

import (
	"maps"
	"net/http"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The documented throttle: one request a second for each device, after a burst
// of ten. A full bucket of eleven that is refilled continuously gives exactly
// the page's timeline; a queue of ten does not.
const (
	bucketSize = 11
	maxBuckets = 4096
)

// A bucket is what a device may still send. It is no part of the truth: a
// restored world begins with full buckets.
type bucket struct {
	remaining float64
	updated   time.Time
}

var overRateLimit = &contract.Cause{Code: "throttled", Text: "The device {address} has sent more than one request a second and used its burst of ten. It is known by its address, or by the first of X-Forwarded-For. The switch throttle is off by default."}

// checkThrottle takes a request out of its device's bucket, which fills by the
// wall clock: where the sandbox's stands, a device must get out of it, too.
func checkRateLimit(c *contract.Call) (v contract.Verdict) {
	if !c.Switches.Bool("throttle") || c.Request.Method == http.MethodOptions {
		return v
	}
	if p := c.Request.URL.Path; !strings.HasPrefix(p, apiPath) && !strings.HasPrefix(p, dcrPath) {
		return v
	}
	host, _ := deviceAddress(c.Request)
	refills := c.Switches.Bool("burst_refills")
	c.WithState(func() {
		if !c.State.(*state).allowRequest(host, c.Wall(), refills) {
			v = tooManyRequests.Because(overRateLimit, "address", host)
		}
	})
	return v
}

// take takes one request out of a bucket, if there is one left.
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

// forgetFull forgets the devices that have been quiet; where all are busy, it
// forgets them all.
func (st *state) dropFullBuckets(now time.Time) {
	maps.DeleteFunc(st.buckets, func(_ string, b *bucket) bool {
		return b.remaining+now.Sub(b.updated).Seconds() >= bucketSize
	})
	if len(st.buckets) >= maxBuckets {
		clear(st.buckets)
	}
}
