// Package openapi derives OpenAPI 3.1 documents from the tables. The same
// tables give the same bytes, and a document keeps the order of the tables.
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
// An API may have one path and method for all operations, and distinguish them by
// a header. A path item has one operation for each method, so these become one:
// its request body is any of the operations' bodies, its responses are any of
// theirs, and x-understudy-operations describes each with its parameters, body and
// outcomes. No table says which header or query parameter distinguishes them. It
// is the one that has the operation's name in the requests that the API's own Sign
// makes. Bodies are anyOf and not oneOf: a body with the members that two
// operations share fits both, and only the header decides.
//
// # What is on the wire
//
// Rows describe what an outcome returns, and Write adds an envelope. Write does
// not look into a reply, so it is called with a marker: the rows belong where the
// marker comes out. In a request, the rows belong where Sign puts them. If the
// marker does not come out, because bodies are encrypted, there is no schema, and
// x-understudy-holds refers to the schema of what was encrypted.
package openapi
