package polyv

import (
	"cmp"
	"encoding/binary"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// maxSessions is how many sessions a channel keeps: the oldest gives way to a
// new one.
const maxSessions = 100_000

// compare is the order in which a channel keeps its sessions: by start, and by
// id where two start at once. Lists show them from the last to the first.
func compare(a, b *session) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
}

// within is the part of a channel's sessions that started in a window.
func (ch *channel) within(span window) []*session {
	return started(ch.Sessions, span)
}

func started(list []*session, span window) []*session {
	low := sort.Search(len(list), func(i int) bool { return list[i].Start >= span.from })
	high := low + sort.Search(len(list)-low, func(i int) bool { return list[low+i].Start > span.to })
	return list[low:high]
}

// add puts a session that begins where it belongs. Broadcasts start in the order
// of time, so that is nearly always the end.
func (w *state) add(ch *channel, s *session) {
	if len(ch.Sessions) >= maxSessions {
		w.remove(ch.Sessions[0])
	}
	s.channel = ch
	ch.Sessions = insert(ch.Sessions, s)
	w.sessions[s.ID] = s
	ch.live = s
	ch.bind(s)
}

func insert(list []*session, s *session) []*session {
	if len(list) == 0 || compare(list[len(list)-1], s) < 0 {
		return append(list, s)
	}
	at, _ := slices.BinarySearchFunc(list, s, compare)
	return slices.Insert(list, at, s)
}

func (ch *channel) bind(s *session) {
	if s.CustomID != nil {
		ch.bound[*s.CustomID] = insert(ch.bound[*s.CustomID], s)
	}
}

// remove forgets a session.
func (w *state) remove(s *session) {
	ch := s.channel
	ch.Sessions = without(ch.Sessions, s)
	delete(w.sessions, s.ID)
	if ch.live == s {
		ch.live = nil
	} else {
		drop(w.over, ch.UserID, s)
	}
	if s.CustomID != nil {
		drop(ch.bound, *s.CustomID, s)
	}
}

// drop takes a session out of one of the lists of an index.
func drop(index map[string][]*session, key string, s *session) {
	if left := without(index[key], s); len(left) > 0 {
		index[key] = left
	} else {
		delete(index, key)
	}
}

// without takes a session out. The oldest goes without moving the others.
func without(list []*session, s *session) []*session {
	at, found := slices.BinarySearchFunc(list, s, compare)
	switch {
	case !found:
		return list
	case at == 0:
		list[0] = nil
		return list[1:]
	}
	return slices.Delete(list, at, at+1)
}

// start begins a broadcast, which makes a session.
func (w *state) start(ch *channel, now time.Time, dice *contract.Dice) *session {
	s := &session{Start: now.Truncate(time.Second).UnixMilli()}
	if n := len(ch.Sessions); n > 0 { // a clock that was put back puts no session before what has happened
		s.Start = max(s.Start, ch.Sessions[n-1].Start)
	}
	s.ID = w.mint(s.Start, dice)
	if ch.External != "" {
		s.CustomID = new(string)
		*s.CustomID = ch.External
	}
	w.add(ch, s)
	return s
}

// stop ends the broadcast that is on.
func (w *state) stop(ch *channel, now time.Time, dice *contract.Dice) *session {
	s := ch.live
	s.End = max(now.Truncate(time.Second).UnixMilli(), s.Start)
	s.Views = watched(dice)
	ch.live = nil
	w.over[ch.UserID] = insert(w.over[ch.UserID], s)
	return s
}

// mint makes a sessionId: the microsecond, in base 36, at which the stream was
// connected, which is two to four seconds before the session starts. Nine
// published ids decode so.
func (w *state) mint(start int64, dice *contract.Dice) string {
	connected := max(0, start*1000-2_000_000-throw(dice, 2_000_000))
	for {
		id := strconv.FormatInt(connected, 36)
		if _, taken := w.sessions[id]; !taken {
			return id
		}
		connected++
	}
}

// watched invents how many watched a broadcast.
func watched(dice *contract.Dice) views {
	v := views{LiveUV: 1 + throw(dice, 200), PlaybackUV: throw(dice, 50)}
	v.LivePV = v.LiveUV + throw(dice, 2*v.LiveUV)
	v.PlaybackPV = v.PlaybackUV + throw(dice, v.PlaybackUV+1)
	return v
}

// throw returns a number from 0 to below n.
func throw(dice *contract.Dice, n int64) int64 {
	var b [8]byte
	_, _ = dice.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]) % uint64(n))
}

// status is what a channel does, as version 4 tells it.
func (ch *channel) status() string {
	switch {
	case ch.live != nil:
		return "live"
	case ch.Rest != "":
		return ch.Rest
	case len(ch.Sessions) == 0:
		return "unStart"
	}
	return "end"
}
