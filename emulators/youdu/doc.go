// Package youdu emulates the server API of the Youdu instant messenger
// (有度即时通): the session API and what its calls depend on.
//
// Every POST carries an envelope, {"buin", "appId", "encrypt"}, in which encrypt
// is the call's own JSON under AES-256-CBC and base64; every answer with data
// is {"errcode", "errmsg", "encrypt"}, encrypted alike. Every answer is HTTP
// 200, also those that tell an error: client libraries do not read errcode
// from any other status.
//
// Emulated, and the pages of youduim/youdu-doc they were read from:
//   - gettoken, envelope, encryption and answers (docs/api/c01_00002.md), the
//     codes with their texts (docs/api/a01_00009.md), the paths below
//     /v3/api/jgapp (docs/admin/a01_00017.md);
//   - session/create, session/get, session/update (docs/api/c01_00008.md);
//   - session/send (docs/api/c01_00009.md);
//   - media/upload, media/get and media/search (docs/api/c01_00017.md);
//   - the callbacks of sessions and messages to the audit application
//     (docs/api/c01_00010.md, c01_00004.md, b01_00011.md).
//
// What requests look like on the wire was read from the client libraries of
// Youdu and of third parties (youdu-sdk-java, youdu-sdk-go, youdu-sdk-php,
// youdu-sdk-csharp, addcnos/youdu, go-packagist/youdu, youduphp/youdu). Their
// oddities are accepted: no Content-Type or a charset in Content-Encoding, an
// empty token at gettoken, null members, names in another case, an IV that
// nobody is told.
//
// No page says with which code the server refuses a session call for what is
// wrong in it, nor in which order it checks. The order stands in one list
// (api.go), the codes in one table (situations.go), which the fixture's list
// codes changes row by row.
//
// Not emulated: departments, users, groups, app messages and all else of the
// API; session/msg/download.zip, whose file_id comes from a client; delivery:
// a message counts and is told to the audit application, but nobody reads it;
// repetition: a callback that is not acknowledged is not sent again.
package youdu
