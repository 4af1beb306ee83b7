package polyv

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"strconv"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// maxSessions is how many sessions a channel keeps. A new one replaces the oldest.
const maxSessions = 100_000

// compareSessions is the order of a channel's sessions: by start, then by id. Lists
// show them in reverse.
func compareSessions(a, b *session) int {
	return cmp.Or(cmp.Compare(a.Start, b.Start), cmp.Compare(a.ID, b.ID))
}

// within returns the channel's sessions that started in a window.
func (ch *channel) within(span window) []*session {
	return started(ch.Sessions, span)
}

func started(list []*session, span window) []*session {
	low := sort.Search(len(list), func(i int) bool { return list[i].Start >= span.from })
	high := low + sort.Search(len(list)-low, func(i int) bool { return list[low+i].Start > span.to })
	return list[low:high]
}

// noteEnd notes how long a session lasted that has ended, and until when.
func (st *state) noteEnd(s *session) {
	lasted := s.End - s.Start
	if lasted < 0 { // in a state that somebody wrote by hand: more than a number can say
		lasted = math.MaxInt64
	}
	st.longest, st.latest = max(st.longest, lasted), max(st.latest, s.End)
}

// endedWithin returns the sessions of an account that started and ended in a window, in
// two parts: all of before, which is not copied, and late, which are those that started
// so late that others that did still went on at the window's end.
func (st *state) endedWithin(userID string, span window) (before, late []*session) {
	all := started(st.over[userID], span)
	if st.latest <= span.to {
		return all, nil
	}
	early := len(started(all, window{span.from, span.to - st.longest}))
	for _, s := range all[early:] {
		if s.End <= span.to {
			late = append(late, s)
		}
	}
	return all[:early], late
}

// add inserts a new session in order. Broadcasts start in the order of time, so that
// is nearly always at the end.
func (st *state) add(ch *channel, s *session) {
	if len(ch.Sessions) >= maxSessions {
		st.remove(ch.Sessions[0])
	}
	s.channel = ch
	ch.Sessions = insert(ch.Sessions, s)
	st.sessions[s.ID] = s
	ch.live = s
	st.bind(ch, s)
}

func insert(list []*session, s *session) []*session {
	if len(list) == 0 || compareSessions(list[len(list)-1], s) < 0 {
		return append(list, s)
	}
	at, _ := slices.BinarySearchFunc(list, s, compareSessions)
	return slices.Insert(list, at, s)
}

// bindCost is about how many bytes an external id takes beside its text: its list in the
// index too, since most ids are of one session.
const bindCost = 144

func (st *state) bind(ch *channel, s *session) {
	if s.CustomID != nil {
		st.boundBytes += bindCost + len(*s.CustomID)
		ch.bound[*s.CustomID] = insert(ch.bound[*s.CustomID], s)
	}
}

// remove deletes a session.
func (st *state) remove(s *session) {
	ch := s.channel
	ch.Sessions = without(ch.Sessions, s)
	delete(st.sessions, s.ID)
	if ch.live == s {
		ch.live = nil
	} else {
		removeFrom(st.over, ch.UserID, s)
	}
	if s.CustomID != nil {
		st.boundBytes -= bindCost + len(*s.CustomID)
		removeFrom(ch.bound, *s.CustomID, s)
	}
}

// drop removes a session from one of the lists of an index.
func removeFrom(index map[string][]*session, key string, s *session) {
	if left := without(index[key], s); len(left) > 0 {
		index[key] = left
	} else {
		delete(index, key)
	}
}

// without returns list without a session. Removing the oldest moves no other.
func without(list []*session, s *session) []*session {
	at, found := slices.BinarySearchFunc(list, s, compareSessions)
	switch {
	case !found:
		return list
	case at == 0:
		list[0] = nil
		return list[1:]
	}
	return slices.Delete(list, at, at+1)
}

// start starts a broadcast, which makes a session.
func (st *state) start(ch *channel, now time.Time, dice *contract.Dice) *session {
	s := &session{Start: now.Truncate(time.Second).UnixMilli()}
	if n := len(ch.Sessions); n > 0 { // a clock that was set back makes no session before the existing ones
		s.Start = max(s.Start, ch.Sessions[n-1].Start)
	}
	s.ID = st.newSessionID(s.Start, dice)
	if ch.External != "" {
		s.CustomID = new(string)
		*s.CustomID = ch.External
	}
	st.add(ch, s)
	return s
}

// stop ends the live broadcast.
func (st *state) stop(ch *channel, now time.Time, dice *contract.Dice) *session {
	s := ch.live
	s.End = max(now.Truncate(time.Second).UnixMilli(), s.Start)
	s.Views = randomViews(dice)
	ch.live = nil
	st.over[ch.UserID] = insert(st.over[ch.UserID], s)
	st.noteEnd(s)
	return s
}

// newSessionID returns a sessionId: the microsecond, in base 36, at which the stream was
// connected, which is two to four seconds before the session starts. Nine
// published ids decode so.
func (st *state) newSessionID(start int64, dice *contract.Dice) string {
	connected := max(0, start*1000-2_000_000-randomBelow(dice, 2_000_000))
	for {
		id := strconv.FormatInt(connected, 36)
		if _, taken := st.sessions[id]; !taken {
			return id
		}
		connected++
	}
}

// randomViews returns random viewing figures of a broadcast.
func randomViews(dice *contract.Dice) views {
	v := views{LiveUV: 1 + randomBelow(dice, 200), PlaybackUV: randomBelow(dice, 50)}
	v.LivePV = v.LiveUV + randomBelow(dice, 2*v.LiveUV)
	v.PlaybackPV = v.PlaybackUV + randomBelow(dice, v.PlaybackUV+1)
	return v
}

// randomBelow returns a number from 0 to n-1.
func randomBelow(dice *contract.Dice, n int64) int64 {
	var b [8]byte
	_, _ = dice.Read(b[:])
	return int64(binary.LittleEndian.Uint64(b[:]) % uint64(n))
}

// status returns a channel's status as version 4 names it.
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
