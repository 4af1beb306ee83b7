package gateway

import (
	"testing"

	"github.com/understudy-suite/understudy/internal/contract"
)

func TestLocate(t *testing.T) {
	n := namesOf([]*contract.API{
		{Name: "parcels", Hosts: contract.HostNames("", "parcels.example")},
		{Name: "post", Hosts: append(contract.HostNames("", "post.example", "parcels.example"), contract.Host{Name: "post.*.example"}, contract.Host{Name: "*.boxes.example"})},
	})
	tests := []struct {
		name, own, host, path, header string
		want                          address
	}{
		{"nothing is named", "", "127.0.0.1:6410", "/page", "", address{path: "/page"}},
		{"a documented host", "", "post.example", "/page", "", address{api: "post", path: "/page"}},
		{"a host of a pattern", "", "Post.North.example:6410", "/page", "", address{api: "post", path: "/page"}},
		{"a host of a pattern that begins so", "", "north.boxes.example", "/page", "", address{api: "post", path: "/page"}},
		{"two labels for one", "", "far.north.boxes.example", "/page", "", address{path: "/page"}},
		{"no label", "", ".boxes.example", "/page", "", address{path: "/page"}},
		{"a dot at its end does not count", "", "post.example.:6410", "/page", "", address{api: "post", path: "/page"}},
		{"its port and capitals do not count", "", "Post.EXAMPLE:6410", "/page", "", address{api: "post", path: "/page"}},
		{"of two APIs with one host the first", "", "parcels.example", "/page", "", address{api: "parcels", path: "/page"}},
		{"<api>.localhost", "", "post.localhost:6410", "/page", "", address{api: "post", path: "/page"}},
		{"another .localhost", "", "letters.localhost", "/page", "", address{path: "/page"}},
		{"a sandbox in the host", "", "alice.post.localhost", "/page", "", address{"post", "alice", "host", "", "/page", false}},
		{"an empty label", "", ".post.localhost", "/page", "", address{api: "post", path: "/page"}},
		{"three labels", "", "a.b.post.localhost", "/page", "", address{sandbox: "a", foundBy: "host", path: "/page"}},
		{"an IPv6 address", "", "[::1]:6410", "/post/page", "", address{api: "post", prefix: "/post", path: "/page"}},
		{"an IPv6 address without a port", "", "[::1]", "/page", "", address{path: "/page"}},
		{"no host", "", "", "/page", "", address{path: "/page"}},
		{"a leading segment", "", "127.0.0.1", "/post/page", "", address{api: "post", prefix: "/post", path: "/page"}},
		{"a leading segment alone", "", "127.0.0.1", "/post", "", address{api: "post", prefix: "/post", path: "/"}},
		{"a leading segment and a slash", "", "127.0.0.1", "/post/", "", address{api: "post", prefix: "/post", path: "/"}},
		{"a segment that only begins so", "", "127.0.0.1", "/posts/page", "", address{path: "/posts/page"}},
		{"a host before a segment", "", "post.example", "/parcels/page", "", address{api: "post", path: "/parcels/page"}},
		{"a sandbox in the path", "", "127.0.0.1", "/@bob/page", "", address{"", "bob", "path", "/@bob", "/page", false}},
		{"a sandbox and an API in the path", "", "127.0.0.1", "/@bob/post/page", "", address{"post", "bob", "path", "/@bob/post", "/page", false}},
		{"a sandbox alone in the path", "", "127.0.0.1", "/@bob", "", address{"", "bob", "path", "/@bob", "/", false}},
		{"the empty sandbox name", "", "127.0.0.1", "/@/page", "", address{"", "", "path", "/@", "/page", false}},
		{"a sandbox behind the API", "", "127.0.0.1", "/post/@bob/page", "", address{api: "post", prefix: "/post", path: "/@bob/page"}},
		{"an escape stays", "", "127.0.0.1", "/@bob/post/a%2Fb", "", address{"post", "bob", "path", "/@bob/post", "/a%2Fb", false}},
		{"a sandbox in the header", "", "127.0.0.1", "/page", "carol", address{"", "carol", "header", "", "/page", false}},
		{"header before path before host", "", "alice.post.localhost", "/@bob/page", "carol", address{"post", "carol", "header", "/@bob", "/page", false}},
		{"path before host", "", "alice.post.localhost", "/@bob/page", "", address{"post", "bob", "path", "/@bob", "/page", false}},
		{"an own port", "post", "127.0.0.1:6415", "/page", "", address{api: "post", path: "/page"}},
		{"an own port keeps a segment", "post", "127.0.0.1", "/post/page", "", address{api: "post", path: "/post/page"}},
		{"an own port and another API's host", "post", "parcels.example", "/@bob/page", "", address{"post", "bob", "path", "/@bob", "/page", false}},
		{"OPTIONS *", "", "127.0.0.1", "*", "", address{path: "*"}},
		{"no path", "", "127.0.0.1", "", "", address{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if got := n.locate(tt.own, tt.host, tt.path, tt.header); got != tt.want {
				t.Errorf("got  %+v\nwant %+v", got, tt.want)
			}
		})
	}
}
