// Package adobemedia emulates the Adobe Analytics for Streaming Media
// collection API ("Media Collection API"): how players report sessions and
// what happens in them.
//
// Emulated, and the pages it was read from (AdobeDocs/media-analytics.en,
// help/implementation/media-collection-api, and AdobeDocs/analytics-collection-apis,
// src/pages/methods/media-collection and static/media-collection.json):
//   - POST /api/v1/sessions opens a session: 201, an empty body and a Location
//     that clients take apart by position, so it is exactly
//     /api/v1/sessions/ and 64 hexadecimal digits (mc-api-sessions-req);
//   - POST /api/v1/sessions/{sid}/events takes one of twenty events: 204
//     without a body (mc-api-events-req, mc-api-timelines, player state pages);
//   - POST /api/v1/downloaded takes a whole session that was played offline,
//     as does an array sent to /api/v1/sessions, the older form that shipped
//     SDKs still use (use-cases/track-downloaded-content);
//   - GET /api/v1/schemas/{eventType} returns the JSON schema of an event
//     (mc-api-validate-reqs): schema and check are both derived
//     from one table of event types;
//   - the preflight of browsers, and the CORS headers of every answer;
//   - the lifetime of a session by the sandbox's clock: 10 minutes without an event,
//     30 without movement of the playhead, 24 hours, sessionEnd (mc-api-timeout,
//     events/session/session-end). The values that are derived from its events, in
//     the order of the reordering window (mc-api-ctrl-order), are shown beside the
//     state and never in an answer.
//
// The service checks each request alone: the order of events causes no error.
// Only the schema of sessionStart was published; those of the other events follow
// from the parameter tables. Only one error message is published. The pages
// describe in three ways what happens to events of a closed session: switches of
// the fixture choose.
//
// Not emulated: reporting, the hits that the service sends on to Analytics,
// the ID service that some players call before, the older heartbeat host and the
// Media Edge API.
package adobemedia
