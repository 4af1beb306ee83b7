package youdu

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Sessions and tokens are the most frequent answers. They encode themselves, in the order of
// their struct's fields.

func (r *sessionReply) AppendJSON(b []byte) []byte {
	b = wire.AppendString(append(b, `{"sessionId":`...), r.SessionID)
	b = wire.AppendString(append(b, `,"title":`...), r.Title)
	b = wire.AppendString(append(b, `,"owner":`...), r.Owner)
	b = strconv.AppendInt(append(b, `,"version":`...), r.Version, 10)
	b = wire.AppendString(append(b, `,"type":`...), r.Type)
	b = wire.AppendStrings(append(b, `,"member":`...), r.Member)
	b = strconv.AppendInt(append(b, `,"lastMsgId":`...), r.LastMsgID, 10)
	b = strconv.AppendInt(append(b, `,"activeTime":`...), r.ActiveTime, 10)
	return append(b, '}')
}

func (r *tokenReply) AppendJSON(b []byte) []byte {
	b = wire.AppendString(append(b, `{"accessToken":`...), r.AccessToken)
	b = strconv.AppendInt(append(b, `,"expireIn":`...), r.ExpireIn, 10)
	return append(b, '}')
}
