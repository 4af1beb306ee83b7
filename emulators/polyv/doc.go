// Package polyv emulates the Polyv (保利威) Live API: the sessions of a
// channel, and what feeds them.
//
// A broadcast makes a session. A channel may be bound to an id of the
// customer's own; sessions that start from then on carry it as customId. Lists
// show the newest session first, and one that is live has no end yet.
//
// Emulated, and the pages they were read from:
//   - ListSessionData, the sessions of a channel within at most 60 days
//     (polyv.gitbook.io live/api/channel/session/session_list), and its older
//     twin ListSessions, which knows no such limit;
//   - BindExternalSession, ListSessionsByExternal, GetExternalBySession
//     (…/channel/session/relevance-session-by-external,
//     …/channel/session/get_session-by-external; polyv-live-cli);
//   - GetSessionStats (…/channel/viewdata/get_session_stats; dev.polyv.net
//     get-session-stats), ListChannels (polyv-live-cli), ListLiveStatus and the
//     older ListStreamStatus (…/v-4/channel/get_all_live_status_list,
//     …/channel/state/get_live_status_list), ListAccountSessions
//     (…/v-4/channel/viewdata/get_live_session), StartLive and EndLive
//     (polyv-live-cli);
//   - signatures by MD5 and SHA-256 (live/api/buildSign), codes and messages
//     (live/api/errorinfo, and pages and test suites that each outcome cites),
//     limits (polyv-java-sdk docs/live/limit.md), and the status callback
//     (polyv-java-sdk DOC/live/callback.md).
//
// The status of an answer is the code in its body. A wrong signature has the
// code that the operation's page prints: 400 for ListSessionData and EndLive, 403
// for BindExternalSession and GetSessionStats. No copy of another page that was
// read prints one, and the live service was seen to answer 403. The v4 paths have
// an envelope of their own, without message and with a requestId.
//
// Not emulated, for want of evidence: session/simple-list (no page shows its
// rows), session/list-file-id-by-external (recordings are not emulated),
// session/stats/export (a spreadsheet made within the hour),
// session-stats/summary/list (its twenty figures), the sessions that v4
// session/new creates (a set of their own), creating and deleting channels
// (channels are rows of the fixture), channel details, the unsigned
// live_status/query, encrypted answers, and the calls that set a callback
// address: an address is named by the fixture, never by a request.
package polyv
