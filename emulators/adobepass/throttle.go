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
	bucketSize  = 11
	mostBuckets = 4096
)

// A bucket is what a device may still send. It is no part of the truth: a
// restored world begins with full buckets.
type bucket struct {
	left float64
	seen time.Time
}

var throttledCause = &contract.Cause{Code: "throttled", Text: "The device {address} has sent more than one request a second and used its burst of ten. It is known by its address, or by the first of X-Forwarded-For. The switch throttle is off by default."}

// checkThrottle takes a request out of its device's bucket, which fills by the
// wall clock: where the sandbox's stands, a device must get out of it, too.
func checkThrottle(c *contract.Call) (v contract.Verdict) {
	if !c.Switches.Bool("throttle") || c.Request.Method == http.MethodOptions {
		return v
	}
	if p := c.Request.URL.Path; !strings.HasPrefix(p, apiPath) && !strings.HasPrefix(p, dcrPath) {
		return v
	}
	host, _ := address(c.Request)
	refills := c.Switches.Bool("burst_refills")
	c.WithState(func() {
		if !c.State.(*state).take(host, c.Wall(), refills) {
			v = tooManyRequests.Because(throttledCause, "address", host)
		}
	})
	return v
}

// take takes one request out of a bucket, if there is one left.
func (st *state) take(host string, now time.Time, refills bool) bool {
	b := st.buckets[host]
	if b == nil {
		if len(st.buckets) >= mostBuckets {
			st.forgetFull(now)
		}
		b = &bucket{left: bucketSize, seen: now}
		st.buckets[host] = b
	}
	size := float64(bucketSize)
	if !refills {
		size = max(b.left, 1)
	}
	b.left = min(size, b.left+max(0, now.Sub(b.seen).Seconds()))
	b.seen = now
	if b.left < 1-1e-9 {
		return false
	}
	b.left--
	return true
}

// forgetFull forgets the devices that have been quiet; where all are busy, it
// forgets them all.
func (st *state) forgetFull(now time.Time) {
	maps.DeleteFunc(st.buckets, func(_ string, b *bucket) bool {
		return b.left+now.Sub(b.seen).Seconds() >= bucketSize
	})
	if len(st.buckets) >= mostBuckets {
		clear(st.buckets)
	}
}
