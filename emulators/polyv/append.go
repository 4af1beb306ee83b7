package polyv

import (
	"strconv"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Pages of sessions and lists of statuses are the most frequent answers. They encode
// themselves, in the order of their struct's fields; wire.Encode encodes all else in an envelope.

func (e *envelope) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"code":`...), int64(e.Code), 10)
	b = wire.AppendString(append(b, `,"status":`...), e.Status)
	b = wire.AppendString(append(b, `,"message":`...), e.Message)
	return append(wire.Append(append(b, `,"data":`...), e.Data), '}')
}

func (s *success4) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"code":`...), int64(s.Code), 10)
	b = wire.AppendString(append(b, `,"status":`...), s.Status)
	b = wire.AppendString(append(b, `,"requestId":`...), s.RequestID)
	b = wire.Append(append(b, `,"data":`...), s.Data)
	return append(strconv.AppendBool(append(b, `,"success":`...), s.Success), '}')
}

func (rows statusRows) AppendJSON(b []byte) []byte {
	b = append(b, '[')
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = strconv.AppendInt(append(b, `{"channelId":`...), rows[i].ChannelID, 10)
		b = append(wire.AppendString(append(b, `,"liveStatus":`...), rows[i].LiveStatus), '}')
	}
	return append(b, ']')
}

func (p *page) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"pageSize":`...), p.PageSize, 10)
	b = strconv.AppendInt(append(b, `,"pageNumber":`...), p.PageNumber, 10)
	b = strconv.AppendInt(append(b, `,"totalItems":`...), p.TotalItems, 10)
	b = wire.Append(append(b, `,"contents":`...), p.Contents)
	b = strconv.AppendInt(append(b, `,"limit":`...), p.Limit, 10)
	b = strconv.AppendInt(append(b, `,"nextPageNumber":`...), p.NextPageNumber, 10)
	b = strconv.AppendInt(append(b, `,"startRow":`...), p.StartRow, 10)
	b = strconv.AppendBool(append(b, `,"firstPage":`...), p.FirstPage)
	b = strconv.AppendBool(append(b, `,"lastPage":`...), p.LastPage)
	b = strconv.AppendInt(append(b, `,"prePageNumber":`...), p.PrePageNumber, 10)
	b = strconv.AppendInt(append(b, `,"endRow":`...), p.EndRow, 10)
	b = strconv.AppendInt(append(b, `,"totalPages":`...), p.TotalPages, 10)
	b = strconv.AppendInt(append(b, `,"offset":`...), p.Offset, 10)
	return append(b, '}')
}

func (rows sessionDataRows) AppendJSON(b []byte) []byte {
	b = append(b, '[')
	for i := range rows {
		if i > 0 {
			b = append(b, ',')
		}
		b = rows[i].sessionRow.append(b)
		b = append(b, `,"customId":`...)
		if rows[i].CustomID == nil {
			b = append(b, "null}"...)
		} else {
			b = append(wire.AppendString(b, *rows[i].CustomID), '}')
		}
	}
	return append(b, ']')
}

// append writes a row without its closing brace: more may follow.
func (r *sessionRow) append(b []byte) []byte {
	b = wire.AppendString(append(b, `{"sessionId":`...), r.SessionID)
	b = strconv.AppendInt(append(b, `,"channelId":`...), r.ChannelID, 10)
	b = wire.AppendString(append(b, `,"userId":`...), r.UserID)
	b = strconv.AppendInt(append(b, `,"startTime":`...), r.StartTime, 10)
	b = append(b, `,"endTime":`...)
	if r.EndTime == nil {
		return append(b, "null"...)
	}
	return strconv.AppendInt(b, *r.EndTime, 10)
}
