package wire

import (
	"slices"
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
)

// codings are the registered ways to compress a body. Some clients send the name
// of a charset as Content-Encoding, which compresses nothing.
var codings = []string{"br", "compress", "dcb", "dcz", "deflate", "gzip", "x-compress", "x-gzip", "zstd"}

// Coding returns how the body is compressed, by its Content-Encoding; "": it is not.
func Coding(r *contract.Request) string {
	if len(r.Body) == 0 {
		return ""
	}
	for _, value := range r.Header["Content-Encoding"] {
		for coding := range strings.SplitSeq(value, ",") {
			if coding = strings.ToLower(strings.TrimSpace(coding)); slices.Contains(codings, coding) {
				return coding
			}
		}
	}
	return ""
}

// Compressed is the cause of a refusal whose body was not understood because it is
// compressed.
var Compressed = &contract.Cause{Code: "body_compressed", Text: "A body with Content-Encoding {coding} was found. No page of this API knows of compressed requests, so the body is read as it was sent. Switch the compression of requests off in the client, and send the body as it is, without Content-Encoding."}

// OrCompressed explains a refusal that has to do with the body: where the body is
// compressed, that is why.
func OrCompressed(c *contract.Call, v contract.Verdict) contract.Verdict {
	if v.Pending() {
		return v
	}
	coding := Coding(c.Request)
	if coding == "" {
		return v
	}
	v.Cause, v.Why = Compressed, nil
	v.Facts = append(slices.Clip(v.Facts), contract.Fact{Name: "coding", Value: coding})
	return v
}
