package emulators_test

import (
	"fmt"
	"maps"
	"runtime"
	"strings"
	"testing"

	"github.com/understudy-suite/understudy/emulators"
	"github.com/understudy-suite/understudy/internal/conformance"
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/gateway"
)

// growths are what makes states grow, by API: the i-th time of it.
var growths = map[string]map[string]growth{
	"youdu": {
		"tokens":      calls("GetToken", nil),
		"sessions":    calls("CreateSession", func(i int) contract.Values { return contract.Values{"title": fmt.Sprint("session ", i)} }),
		"small files": calls("UploadMedia", func(i int) contract.Values { return contract.Values{"file": fmt.Sprint(i)} }),
		"large files": calls("UploadMedia", func(i int) contract.Values {
			return contract.Values{"file": fmt.Sprint(i, strings.Repeat("x", 20_000))}
		}),
	},
	"adobemedia": {
		"sessions":   calls("StartSession", nil),
		"events":     calls("SendEvent", func(i int) contract.Values { return contract.Values{"sid": fmt.Sprintf("%064x", i/20)} }),
		"downloaded": calls("SendDownloaded", nil),
	},
	"adobepass": {
		"clients":  calls("RegisterClient", nil),
		"sessions": calls("CreateSession", device),
		"profiles": calls("GetProfile", device),
		"logouts":  calls("Logout", device),
	},
	"polyv": {
		"sessions":       broadcast,
		"bound sessions": boundBroadcast,
	},
	"tencentcar": {
		"reservations": calls("ApplyConcurrent", user),
		"sessions":     calls("CreateSession", user),
		"guests": calls("CreateSession", func(i int) contract.Values {
			return contract.Values{"UserId": fmt.Sprint("guest ", i), "HostUserId": fmt.Sprint("host ", i/5)}
		}),
	},
}

type growth func(t *testing.T, w *conformance.World, i int)

// calls calls an operation that ends in its first outcome, whatever the emulator would
// say. change is how the i-th call differs from the operation's sample; nil: it does
// not.
func calls(operation string, change func(i int) contract.Values) growth {
	return func(t *testing.T, w *conformance.World, i int) {
		op := w.API.Operation(operation)
		in := contract.Sample(op.Params)
		if change != nil {
			maps.Copy(in, change(i))
		}
		r := w.Request(t, op, in)
		r.Header.Set(gateway.OutcomeHeader, op.Outcomes[0].Name)
		if got := w.Send(r); got.Code == gateway.StatusProblem {
			t.Fatal(got.Body)
		}
	}
}

func user(i int) contract.Values { return contract.Values{"UserId": fmt.Sprint("user ", i)} }

func device(i int) contract.Values {
	return contract.Values{"AP-Device-Identifier": fmt.Sprint("fingerprint ", 10_000_000+i)}
}

func broadcast(t *testing.T, w *conformance.World, _ int) {
	for _, name := range [...]string{"stream.started", "stream.ended"} {
		if err := w.Trigger(t, name, contract.Values{"channelId": "2272655"}); err != nil {
			t.Fatal(err)
		}
	}
}

func boundBroadcast(t *testing.T, w *conformance.World, i int) {
	calls("BindExternalSession", func(i int) contract.Values {
		return contract.Values{"externalSessionId": fmt.Sprintf("external-%d", i)}
	})(t, w, i)
	broadcast(t, w, i)
}

// What the sandboxes' budget counts for a state is about what the heap holds, whatever
// calls have made it large, and a reset gives it back.
func TestWeightFollowsTheHeap(t *testing.T) {
	const times = 2000
	for _, api := range emulators.All {
		if growths[api.Name] == nil {
			t.Errorf("nothing is listed here that makes the state of %s grow", api.Name)
		}
		for name, grow := range growths[api.Name] {
			t.Run(api.Name+"/"+name, func(t *testing.T) {
				w := conformance.New(t, api, conformance.Setting{Auth: contract.Off})
				counted := func() int { return int(w.Registry.StateLoad().Held) }
				began := counted()
				growTo := func(from, to int) (bytes, held int) {
					for i := from; i < to; i++ {
						grow(t, w, i)
					}
					w.Sandbox.Journal.Clear(true)
					return counted(), heap()
				}
				bytes, held := growTo(0, 10) // what is made once is made
				moreBytes, moreHeld := growTo(10, times)
				bytes, held = moreBytes-bytes, moreHeld-held
				t.Logf("%d bytes are counted for %d held: %.2f, %d for %d each", bytes, held, float64(bytes)/float64(held), bytes/times, held/times)
				if 3*bytes < 2*held || 2*bytes > 3*held {
					t.Errorf("between two thirds of what is held and one and a half of it was expected")
				}
				if err := w.Sandbox.Reset(); err != nil {
					t.Fatal(err)
				}
				if got := counted(); got != began {
					t.Errorf("after a reset %d bytes are counted, and %d were at first", got, began)
				}
				runtime.KeepAlive(w)
			})
		}
	}
}
