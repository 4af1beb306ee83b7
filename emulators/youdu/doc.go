// Package youdu emulates the server API of the Youdu instant messenger
// (有度即时通): the session API and what its calls depend on.
//
// The body of every POST is an envelope, {"buin", "appId", "encrypt"}. Its field
// encrypt is the JSON of the call, encrypted with AES-256-CBC, as base64. Every
// answer with data is {"errcode", "errmsg", "encrypt"}, encrypted in the same
// way. The status of every answer is 200, also of errors: client libraries read
// errcode from no other status.
//
// Emulated, with the pages of youduim/youdu-doc that describe it:
//   - gettoken, envelope, encryption and answers (docs/api/c01_00002.md), the
//     codes with their texts (docs/api/a01_00009.md), the paths below
//     /v3/api/jgapp (docs/admin/a01_00017.md);
//   - session/create, session/get, session/update (docs/api/c01_00008.md);
//   - session/send (docs/api/c01_00009.md);
//   - media/upload, media/get and media/search (docs/api/c01_00017.md);
//   - the callbacks of sessions and messages to the audit application
//     (docs/api/c01_00010.md, c01_00004.md, b01_00011.md).
//
// The form of requests was read from the client libraries of Youdu and of third
// parties (youdu-sdk-java, youdu-sdk-go, youdu-sdk-php, youdu-sdk-csharp,
// addcnos/youdu, go-packagist/youdu, youduphp/youdu). Their deviations are
// accepted: no Content-Type, a charset in Content-Encoding, an empty token at
// gettoken, null members, names in another case, an IV that is not sent.
//
// No page says with which code the server refuses a session call, nor in which
// order it checks. The order is one list (checks in api.go). The codes are one
// table (situations.go), and the fixture's list codes replaces single rows.
//
// Not emulated:
//   - departments, users, groups, app messages and the rest of the API;
//   - session/msg/download.zip, whose file_id comes from a client;
//   - delivery: a message is counted and reported to the audit application, and
//     no account receives it;
//   - repetition: a callback that is not acknowledged is not sent again.
package youdu
