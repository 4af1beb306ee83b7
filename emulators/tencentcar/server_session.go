package tencentcar

import (
	"cmp"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// documentedSession is what the ServerSession that the page prints decodes to.
const documentedSession = `{"xtz":789}`

// A serverSession is the ServerSession of a call: a JSON object as the web SDK
// (cloudgame-js-sdk 2.1.7) reads it. The SDK reads screen_config.orientation without a
// check and passes sdp to the browser, so both are there; the sdp is the shortest one that
// parses, a session without media.
type serverSession struct {
	concurrency, size, platform string
	requestID                   string
	user, userIP, role          string
}

func serverSessionOf(c *contract.Call, p *project, co *concurrency, user string) serverSession {
	platform := "pc"
	if p.ProjectCategory == "MOBILE" {
		platform = "android"
	}
	return serverSession{co.ID, cmp.Or(p.Type, "M1"), platform, requestID(c), user, c.In.Text("UserIp"), c.In.Text("Role")}
}

// AppendJSON writes the largest value that a call returns. Most of it is constant.
func (s *serverSession) AppendJSON(b []byte) []byte {
	b = append(b, `{"code":0,"message":"success","type":"answer",`+
		`"sdp":"v=0\r\no=- 0 0 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n","region":"ap-guangzhou","instance_id":`...)
	id := len(b)
	b = wire.AppendString(b, s.concurrency)
	for i := id; i < len(b); i++ {
		if b[i] == '/' {
			b[i] = '-'
		}
	}
	b = wire.AppendString(append(b, `,"instance_type":`...), s.size)
	b = wire.AppendString(append(b, `,"request_id":`...), s.requestID)
	b = wire.AppendString(append(b, `,"user_id":`...), s.user)
	b = wire.AppendString(append(b, `,"user_ip":`...), s.userIP)
	b = wire.AppendString(append(b, `,"game_config":{"sdk_conf":{}},"role":`...), s.role)
	b = wire.AppendString(append(b, `,"plat":`...), s.platform)
	return append(b, `,"video":{"width":1920,"height":1080},`+
		`"screen_config":{"width":1920,"height":1080,"orientation":"landscape","degree":"0_degree"}}`...)
}
