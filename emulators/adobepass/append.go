package adobepass

import (
	"bytes"
	"encoding/json"
	"strconv"

	"github.com/understudy-suite/understudy/internal/wire"
)

// Profiles and sessions are the most frequent answers. They encode themselves, in the
// order of their struct's fields; wire.Encode encodes all else.

// members are a JSON object with members in a fixed order.
type members []member

type member struct {
	name  string
	value any
}

func (m members) AppendJSON(b []byte) []byte {
	return append(m.appendTo(append(b, '{')), '}')
}

// MarshalJSON is for what has members and does not encode itself.
func (m members) MarshalJSON() ([]byte, error) { return m.AppendJSON(nil), nil }

// appendTo writes the members into an object that was begun.
func (m members) appendTo(b []byte) []byte {
	for i := range m {
		b = append(wire.AppendString(separate(b), m[i].name), ':')
		b = wire.Append(b, m[i].value)
	}
	return b
}

// separate writes the comma before a member, unless it is the first of its object.
func separate(b []byte) []byte {
	if b[len(b)-1] == '{' {
		return b
	}
	return append(b, ',')
}

func (r *profilesReply) AppendJSON(b []byte) []byte {
	return append(r.Profiles.AppendJSON(append(b, `{"profiles":`...)), '}')
}

func (v *profileView) AppendJSON(b []byte) []byte {
	b = strconv.AppendInt(append(b, `{"notBefore":`...), v.NotBefore, 10)
	b = strconv.AppendInt(append(b, `,"notAfter":`...), v.NotAfter, 10)
	b = wire.AppendString(append(b, `,"issuer":`...), v.Issuer)
	b = wire.AppendString(append(b, `,"type":`...), v.Type)
	b = append(b, `,"attributes":{`...)
	for i := range v.Attributes {
		b = v.Attributes[i].appendView(separate(b))
	}
	return append(v.More.appendTo(b), "}}"...)
}

// appendView writes an attribute as replies show it.
func (a *attribute) appendView(b []byte) []byte {
	b = append(wire.AppendString(b, a.Name), `:{"value":`...)
	b = appendValue(b, a.Value)
	state := a.State
	if state == "" {
		state = "plain"
	}
	return append(wire.AppendString(append(b, `,"state":`...), state), '}')
}

// appendValue writes a JSON value without white space. Nearly all have none.
func appendValue(b []byte, value json.RawMessage) []byte {
	if len(value) == 0 || bytes.ContainsAny(value, " \t\r\n") {
		return wire.Append(b, value)
	}
	return append(b, value...)
}

func (v *attributeView) AppendJSON(b []byte) []byte {
	b = wire.Append(append(b, `{"value":`...), v.Value)
	return append(wire.AppendString(append(b, `,"state":`...), v.State), '}')
}

func (r *sessionReply) AppendJSON(b []byte) []byte {
	b = wire.AppendString(append(b, `{"actionName":`...), r.ActionName)
	b = wire.AppendString(append(b, `,"actionType":`...), r.ActionType)
	b = wire.AppendString(append(b, `,"reasonType":`...), r.ReasonType)
	b = wire.AppendGiven(b, `,"url":`, r.URL)
	if len(r.MissingParameters) > 0 {
		b = wire.Append(append(b, `,"missingParameters":`...), r.MissingParameters)
	}
	b = wire.AppendGiven(b, `,"code":`, r.Code)
	b = wire.AppendString(append(b, `,"sessionId":`...), r.SessionID)
	b = wire.AppendGiven(b, `,"mvpd":`, r.MVPD)
	b = wire.AppendString(append(b, `,"serviceProvider":`...), r.ServiceProvider)
	b = wire.AppendGiven(b, `,"notBefore":`, r.NotBefore)
	b = wire.AppendGiven(b, `,"notAfter":`, r.NotAfter)
	if r.AuthenticationRequest != nil {
		b = wire.Append(append(b, `,"authenticationRequest":`...), r.AuthenticationRequest)
	}
	return append(b, '}')
}
