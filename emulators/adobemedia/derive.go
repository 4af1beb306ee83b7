package adobemedia

import (
	"cmp"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// The window in which events are put in order: it closes after five seconds, or
// with the eleventh event.
const (
	windowTime   = 5 * time.Second
	windowEvents = 10
)

// maxStates is how many player states a session stores. Further ones are
// dropped.
const maxStates = 10

// Derive returns what the service derives from each session's stored events.
func (st *state) Derive(now time.Time, sw contract.Values) any {
	sessions := map[string]*derived{}
	for _, s := range st.Sessions {
		if !s.Forgotten {
			sessions[s.ID] = s.derive(now.UnixMilli(), limitsOf(sw), sw.Bool("reorder"))
		}
	}
	return struct {
		Sessions map[string]*derived `json:"sessions"`
	}{sessions}
}

// derived is what follows from a session's events. Times are milliseconds of ts,
// never of the playhead.
type derived struct {
	State    string   `json:"state"`               // starting, playing, paused, buffering or ended
	ClosedBy string   `json:"closed_by,omitempty"` // what closed the session
	Order    []uint64 `json:"order"`               // the numbers of the events as they were processed
	Waiting  []uint64 `json:"waiting,omitempty"`   // those that are still in the window
	NotKept  int      `json:"let_go,omitempty"`    // earlier events that are no longer stored, so that nothing is derived from them

	AdBreak bool `json:"ad_break"`
	Ad      bool `json:"ad"`
	Chapter bool `json:"chapter"`

	ContentStart     *int64                  `json:"content_start,omitempty"` // ts of the first play
	Complete         bool                    `json:"complete"`
	Progress         []int                   `json:"progress"` // those of 10, 25, 50, 75 and 95 percent that were reached
	TimeSpent        int64                   `json:"time_spent_ms"`
	PauseTime        int64                   `json:"pause_ms"`
	BufferTime       int64                   `json:"buffer_ms"`
	Stalls           int                     `json:"stalls"`
	Streams          int64                   `json:"estimated_streams"`
	SecondsSinceCall *int64                  `json:"seconds_since_last_call,omitempty"` // once the session is closed
	PlayerStates     map[string]*playerState `json:"player_states,omitempty"`           // by name in lower case

	length       float64
	began        bool  // an event was processed
	at           int64 // ts of the previous event
	playhead     float64
	samePlayhead int // how many events of main content had the same playhead
}

// A playerState is a state such as mute, with how often and how long a session
// was in it.
type playerState struct {
	Count int   `json:"count"`
	Time  int64 `json:"time_ms"`
	On    bool  `json:"on"`

	since int64
}

// An event is the part of a hit from which something is derived.
type event struct {
	Type string `json:"eventType"`
	Time struct {
		Playhead float64 `json:"playhead"`
		TS       int64   `json:"ts"`
	} `json:"playerTime"`
	Params struct {
		Length float64      `json:"media.length"`
		State  string       `json:"media.state.name"`
		Starts []namedState `json:"statesStart"`
		Ends   []namedState `json:"statesEnd"`
	} `json:"params"`

	number uint64
	at     int64
}

type namedState struct {
	Name string `json:"media.state.name"`
}

// parse decodes the event of a hit.
func (h hit) parse() event {
	e := event{number: h.Number, at: h.At}
	_ = json.Unmarshal(h.Raw, &e) // it was checked on arrival; a restored state may contain anything
	return e
}

// derive returns what follows from the session's events at a time.
func (s *session) derive(now int64, l limits, reorder bool) *derived {
	d := &derived{State: "starting", Order: []uint64{}, Progress: []int{}, PlayerStates: map[string]*playerState{}}
	kept := 0
	if s.Start.Raw != nil {
		d.apply(s.Start.parse()) // it is not subject to the window
		kept++
	}
	var arrived []event
	for _, h := range s.Hits {
		if !h.Dropped {
			arrived = append(arrived, h.parse())
		}
	}
	d.NotKept = max(s.Received-kept-len(arrived), 0)
	done, waiting := arrived, []event(nil)
	if reorder && s.EndedBy != byDownload {
		done, waiting = reorderEvents(arrived, now)
	}
	for _, e := range done {
		d.apply(e)
	}
	for _, e := range waiting {
		d.Waiting = append(d.Waiting, e.number)
	}
	if by, at := s.closedBy(now, l); by != notClosed {
		d.close(by, at, s.Last)
	}
	d.Streams = d.TimeSpent/1000/1800 + 1
	return d
}

// reorderEvents sorts events by ts, window by window. Events with equal ts keep
// their order. Events of an open window wait.
func reorderEvents(arrived []event, now int64) (done, waiting []event) {
	for len(arrived) > 0 {
		opened, n := arrived[0].at, 0
		for n < len(arrived) && n <= windowEvents && arrived[n].at < opened+windowTime.Milliseconds() {
			n++
		}
		window := arrived[:n:n]
		if n == len(arrived) && n <= windowEvents && now < opened+windowTime.Milliseconds() {
			return done, window
		}
		slices.SortStableFunc(window, func(a, b event) int { return cmp.Compare(a.Time.TS, b.Time.TS) })
		done, arrived = append(done, window...), arrived[n:]
	}
	return done, nil
}

// apply processes one event.
func (d *derived) apply(e event) {
	d.Order = append(d.Order, e.number)
	d.passTime(e)
	switch e.Type {
	case sessionStart:
		d.length = e.Params.Length
	case "play":
		if d.ContentStart == nil && !d.Ad {
			d.ContentStart = &e.Time.TS
		}
		d.State = "playing"
	case "pauseStart":
		d.State = "paused"
	case "bufferStart":
		d.State = "buffering"
	case "adBreakStart":
		d.AdBreak = true
	case "adBreakComplete":
		d.AdBreak, d.Ad = false, false
	case "adStart":
		if d.AdBreak { // outside a break an ad counts as main content
			d.Ad, d.State = true, "playing"
		}
	case "adComplete", "adSkip":
		d.Ad = false
	case "chapterStart":
		d.Chapter = true
	case "chapterComplete", "chapterSkip":
		d.Chapter = false
	case "sessionComplete":
		d.Complete = true
	case sessionEnd:
		d.State = "ended"
	}
	d.changeStates(e)
}

// passTime adds the time since the previous event to the current state, and
// updates the progress and the playhead.
func (d *derived) passTime(e event) {
	if passed := e.Time.TS - d.at; d.began && passed > 0 {
		switch d.State {
		case "playing":
			d.TimeSpent += passed
		case "paused":
			d.PauseTime += passed
		case "buffering":
			d.BufferTime += passed
		}
	}
	d.began, d.at = true, e.Time.TS
	for _, percent := range [...]int{10, 25, 50, 75, 95} {
		if d.length > 0 && e.Time.Playhead*100 >= d.length*float64(percent) && !slices.Contains(d.Progress, percent) {
			d.Progress = append(d.Progress, percent)
		}
	}
	if d.State == "playing" && !d.Ad && e.Time.Playhead == d.playhead {
		if d.samePlayhead++; d.samePlayhead == 3 {
			d.Stalls++
		}
	} else {
		d.samePlayhead = 0
	}
	d.playhead = e.Time.Playhead
}

// changeStates ends and starts player states. Ends come first.
func (d *derived) changeStates(e event) {
	ends, starts := e.Params.Ends, e.Params.Starts
	switch e.Type {
	case "stateStart":
		starts = []namedState{{e.Params.State}}
	case "stateEnd":
		ends = []namedState{{e.Params.State}}
	case "statesUpdate":
	default:
		return
	}
	for _, s := range ends {
		if p := d.PlayerStates[strings.ToLower(s.Name)]; p != nil && p.On {
			p.On = false
			p.Time += max(e.Time.TS-p.since, 0)
		}
	}
	for _, s := range starts {
		name := strings.ToLower(s.Name)
		p := d.PlayerStates[name]
		if p == nil {
			if len(d.PlayerStates) == maxStates {
				continue
			}
			p = &playerState{}
			d.PlayerStates[name] = p
		}
		if !p.On {
			p.On, p.since = true, e.Time.TS
			p.Count++
		}
	}
}

// close ends everything that was running when the session was closed.
func (d *derived) close(by string, at, last int64) {
	d.State, d.ClosedBy = "ended", by
	var since int64
	if by != sessionEnd && by != byDownload && !d.Complete {
		since = (at - last) / 1000
	}
	d.SecondsSinceCall = &since
	for _, name := range slices.Sorted(maps.Keys(d.PlayerStates)) {
		if p := d.PlayerStates[name]; p.On {
			p.On = false
			p.Time += max(d.at-p.since, 0)
		}
	}
}
