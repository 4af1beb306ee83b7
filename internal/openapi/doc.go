// Package openapi derives OpenAPI 3.1 documents from the tables. The same
// tables give the same bytes, and what stands in a table in some order stands
// in the document in that order.
//
// Operations are described at their path and method, again at each alias, and
// operations of understudy's own not at all. What OpenAPI cannot say is in
// extensions: x-understudy-outcomes names every outcome of a response, with
// the page it was read from or as inferred; x-understudy-expected marks what
// is documented as required while its absence is answered by an outcome of its
// own, and so does not stand under required.
//
// # Several operations at one path
//
// An API may have one path and method for all that it does, and tell its
// operations apart by a header. A path item has place for one operation of a
// method, so these become one: its request body is any of the operations'
// bodies, its responses any of theirs, and x-understudy-operations tells each
// with its parameters, its body and its outcomes. By which header or query
// parameter the service tells them apart no table says; it is what differs,
// and is the operation's name, in the requests that the API's own Sign makes.
// Bodies are told as anyOf and not as oneOf: a body that says what two
// operations share fits both, and only the header decides.
//
// # What is on the wire
//
// Rows tell what an outcome returns, and Write what stands around it. Since
// Write carries a reply and never looks into it, it is given a mark, and where
// the mark comes out again is where the rows stand. Of a request, the rows
// stand where Sign puts them. Where they come out nowhere, because bodies are
// encrypted, there is no schema, and x-understudy-holds leads to what was put
// in.
package openapi
