package adobemedia

import (
	"slices"

	"github.com/understudy-suite/understudy/internal/contract"
)

// An eventType is one kind of event. The checks and the schemas come from these
// rows.
type eventType struct {
	name   string
	doc    string
	cite   string
	need   contract.Need    // of params
	params []contract.Param // the type's own
	rows   []contract.Param // of the whole message; derived from the fields above
}

// The names of the events that open and close a session.
const (
	sessionStart = "sessionStart"
	sessionEnd   = "sessionEnd"
)

// eventTypes are all events. The first fourteen are in the published schema of
// 2018, the next five in the description of 2026. The last is only on the pages
// about player states.
var eventTypes = []*eventType{
	{name: sessionStart, need: contract.Required, params: sessionParams, cite: citeSessions, doc: "The viewer means to play; opens the session and is taken by its own path only."},
	{name: "play", cite: citeTypes, doc: "Playback starts, or goes on after a pause, buffering, a seek, an ad break or an error. There is no event for the end of those."},
	{name: "ping", cite: citeTypes, doc: "Every ten seconds of main content, every second or ten of an ad."},
	{name: "bufferStart", cite: citeTypes, doc: "Buffering begins; the next play ends it."},
	{name: "pauseStart", cite: citeTypes, doc: "The viewer pauses or seeks; the next play ends it."},
	{name: "sessionComplete", cite: citeTypes, doc: "The end of the content was reached. The session stays open."},
	{name: "bitrateChange", cite: citeTypes, doc: "The bitrate changed; the new one is in qoeData."},
	{name: "error", cite: citeTypes, doc: "Playback failed. The session stays open."},
	{name: "adBreakStart", need: contract.Required, params: adBreakParams, cite: citeTypes, doc: "A pod of ads begins."},
	{name: "adBreakComplete", cite: citeTypes, doc: "The pod is over."},
	{name: "adStart", need: contract.Required, params: adParams, cite: citeTypes, doc: "An ad begins."},
	{name: "adComplete", cite: citeTypes, doc: "The ad was played to its end."},
	{name: "adSkip", cite: citeTypes, doc: "The ad was skipped."},
	{name: sessionEnd, cite: citeEnd, doc: "The viewer left; closes the session."},
	{name: "chapterStart", need: contract.Required, params: chapterParams, cite: citeTypes, doc: "A chapter begins."},
	{name: "chapterComplete", cite: citeTypes, doc: "The chapter was played to its end."},
	{name: "chapterSkip", cite: citeTypes, doc: "The chapter was skipped."},
	{name: "stateStart", need: contract.Required, params: stateParams, cite: citePlayer, doc: "The player enters a state such as mute."},
	{name: "stateEnd", need: contract.Required, params: stateParams, cite: citePlayer, doc: "The player leaves a state."},
	{name: "statesUpdate", need: contract.Required, params: statesParams, cite: citePlayer, doc: "Several states end and start at once."},
}

// events finds an event type by its name.
var events = func() map[string]*eventType {
	all := map[string]*eventType{}
	for _, t := range eventTypes {
		t.rows = t.message()
		all[t.name] = t
	}
	return all
}()

// message returns the rows of a whole message of this type.
func (t *eventType) message() []contract.Param {
	fields := t.params
	if fields == nil {
		fields = []contract.Param{} // no fields; nil would mean any
	}
	return []contract.Param{
		{Name: "eventType", Need: contract.Required, OneOf: []string{t.name}, Example: t.name, Cite: t.cite, Doc: t.doc},
		playerTime,
		{Name: "params", Type: contract.Object, Need: t.need, Fields: fields, Cite: t.cite, Doc: "What the event says."},
		customMetadata,
		qoeData,
	}
}

var playerTime = contract.Param{
	Name: "playerTime", Type: contract.Object, Need: contract.Required, Cite: citeEvents, Doc: "When it happened, by the player.",
	Fields: []contract.Param{
		{Name: "playhead", Type: contract.Number, Need: contract.Required, Example: "0", Cite: citeEvents, Doc: "Where in the content, in seconds; for live content the second of the day. It stands still during ads. No value is refused."},
		{Name: "ts", Type: contract.Integer, Need: contract.Required, Example: "1509045324153", Cite: citeEvents, Doc: "Unix time in milliseconds."},
	},
}

var customMetadata = contract.Param{
	Name: "customMetadata", Type: contract.Object, Cite: citeMetadata,
	Doc: "Names of letters, digits, underscores and dots, each with a text. It counts on sessionStart, adStart and chapterStart and is taken on every event.",
}

var qoeData = contract.Param{
	Name: "qoeData", Type: contract.Object, Cite: citeEvents, Doc: "The quality of experience. It is taken on every event.",
	Fields: []contract.Param{
		{Name: "media.qoe.bitrate", Type: contract.Integer, Cite: citeParameters, Doc: "The bitrate. Pages differ on whether in bps or kbps."},
		{Name: "media.qoe.droppedFrames", Type: contract.Integer, Cite: citeParameters, Doc: "How many frames were dropped."},
		{Name: "media.qoe.framesPerSecond", Type: contract.Integer, Cite: citeParameters, Doc: "The frame rate."},
		{Name: "media.qoe.timeToStart", Type: contract.Integer, Cite: citeParameters, Doc: "How long the start took, in milliseconds."},
		{Name: "media.qoe.errorID", Cite: citeParameters, Doc: "Which error. Until 2019 it was required on error events; the switch error_requires_id has it so again."},
		{Name: "media.qoe.errorSource", Cite: citeParameters, Doc: "player or external."},
	},
}

var adBreakParams = []contract.Param{
	{Name: "media.ad.podIndex", Type: contract.Integer, Need: contract.Required, Cite: citeTypes, Doc: "How many-th break it is. Pages differ on whether from 0 or 1; players send -1 for a post-roll."},
	{Name: "media.ad.podSecond", Type: contract.Number, Need: contract.Required, Cite: citeTypes, Doc: "Where in the content the break is, in seconds."},
	podFriendlyName,
}

// podFriendlyName belongs to the break, but the documented timelines send it
// with the ad.
var podFriendlyName = contract.Param{Name: "media.ad.podFriendlyName", Cite: citeTypes, Doc: "The break's name: mid-roll."}

var adParams = []contract.Param{
	{Name: "media.ad.id", Need: contract.Required, Cite: citeTypes, Doc: "The ad's id."},
	{Name: "media.ad.length", Type: contract.Number, Need: contract.Required, Cite: citeTypes, Doc: "Its length in seconds."},
	{Name: "media.ad.podPosition", Type: contract.Integer, Need: contract.Required, Cite: citeTypes, Doc: "How many-th in its break. Pages differ on whether from 0 or 1."},
	{Name: "media.ad.playerName", Need: contract.Required, Cite: citeTypes, Doc: "The player that shows it."},
	{Name: "media.ad.name", Cite: citeTypes, Doc: "Its name."},
	{Name: "media.ad.advertiser", Cite: citeTypes, Doc: "Whose product it shows."},
	{Name: "media.ad.campaignId", Cite: citeTypes, Doc: "The campaign."},
	{Name: "media.ad.creativeId", Cite: citeTypes, Doc: "The creative."},
	{Name: "media.ad.siteId", Cite: citeTypes, Doc: "The site."},
	{Name: "media.ad.creativeURL", Cite: citeTypes, Doc: "Where the creative is."},
	{Name: "media.ad.placementId", Cite: citeTypes, Doc: "The placement."},
	podFriendlyName,
}

var chapterParams = []contract.Param{
	{Name: "media.chapter.index", Type: contract.Integer, Need: contract.Required, Cite: citeTypes, Doc: "How many-th chapter."},
	{Name: "media.chapter.offset", Type: contract.Number, Need: contract.Required, Cite: citeTypes, Doc: "Where it begins, in seconds."},
	{Name: "media.chapter.length", Type: contract.Number, Need: contract.Required, Cite: citeTypes, Doc: "Its length in seconds."},
	{Name: "media.chapter.friendlyName", Cite: citeTypes, Doc: "Its name."},
}

var stateParams = []contract.Param{
	{Name: "media.state.name", Need: contract.Required, Cite: citePlayer, Doc: "The state: fullscreen, mute, closedCaptioning, pictureInPicture, inFocus, or one of the player's own. A session takes ten and silently drops more."},
}

var statesParams = []contract.Param{
	{Name: "statesStart", Type: contract.List, Of: contract.Object, Fields: stateParams, Cite: citePlayer, Doc: "The states that start, after those that end."},
	{Name: "statesEnd", Type: contract.List, Of: contract.Object, Fields: stateParams, Cite: citePlayer, Doc: "The states that end."},
}

// eventParams are the params of all events but sessionStart, all optional. In
// strict mode each is accepted on any of these events: their schemas were never
// published, and a real player sends podPosition with the break.
var eventParams = func() []contract.Param {
	var all []contract.Param
	for _, t := range eventTypes[1:] {
		for _, p := range t.params {
			if !slices.ContainsFunc(all, func(q contract.Param) bool { return q.Name == p.Name }) {
				p.Need = contract.Optional
				all = append(all, p)
			}
		}
	}
	return all
}()

// optionalParams finds the optional row of a param of any event, sessionStart
// included.
var optionalParams = func() map[string]*contract.Param {
	all := map[string]*contract.Param{}
	for _, rows := range [][]contract.Param{sessionParams, eventParams} {
		for i := range rows {
			p := rows[i]
			p.Need = contract.Optional
			all[p.Name] = &p
		}
	}
	return all
}()

// typeNames returns the names of event types.
func typeNames(types []*eventType) []string {
	var all []string
	for _, t := range types {
		all = append(all, t.name)
	}
	return all
}
