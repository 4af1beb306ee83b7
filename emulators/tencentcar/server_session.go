package tencentcar

import (
	"strings"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// documentedSession is what the ServerSession that the page prints decodes to.
const documentedSession = `{"xtz":789}`

// serverSession makes the ServerSession from the call and the concurrency: a JSON
// object as the web SDK (cloudgame-js-sdk 2.1.7) reads it. The SDK reads
// screen_config.orientation without a check and passes sdp to the browser, so both
// are there; the sdp is the shortest one that parses, a session without media. The
// object is the largest value that a call returns and most of it is constant, so
// the code appends its parts without encoding/json.
func serverSession(c *contract.Call, p *project, co *concurrency, user string) []byte {
	size, platform := p.Type, "pc"
	if size == "" {
		size = "M1"
	}
	if p.ProjectCategory == "MOBILE" {
		platform = "android"
	}
	b := make([]byte, 0, 640)
	b = append(b, `{"code":0,"message":"success","type":"answer",`+
		`"sdp":"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n","region":"ap-guangzhou"`...)
	b = appendJSONString(append(b, `,"instance_id":`...), strings.ReplaceAll(co.ID, "/", "-"))
	b = appendJSONString(append(b, `,"instance_type":`...), size)
	b = appendJSONString(append(b, `,"request_id":`...), requestID(c))
	b = appendJSONString(append(b, `,"user_id":`...), user)
	b = appendJSONString(append(b, `,"user_ip":`...), c.In.Text("UserIp"))
	b = appendJSONString(append(b, `,"game_config":{"sdk_conf":{}},"role":`...), c.In.Text("Role"))
	b = appendJSONString(append(b, `,"plat":`...), platform)
	return append(b, `,"video":{"width":1920,"height":1080},`+
		`"screen_config":{"width":1920,"height":1080,"orientation":"landscape","degree":"0_degree"}}`...)
}

// appendJSONString appends a JSON string. The encoder writes strings that need an
// escape.
func appendJSONString(b []byte, s string) []byte {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return append(b, wire.Encode(s)...)
		}
	}
	b = append(append(b, '"'), s...)
	return append(b, '"')
}
