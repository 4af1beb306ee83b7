package journal

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"math"
	"net/http"
	"sync"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
)

// A journal keeps who sent a call, its request, its answer and its notes as one block of
// bytes, which the collector need not look into, and makes them anew for whoever looks.
// Texts come first and bodies behind them, so that the texts of an entry are parts of one.

// pack moves what a block can hold out of the entry into one.
func (e *Entry) pack() {
	p := packers.Get().(*packer)
	defer p.done()
	p.text(e.Client.Address)
	p.text(e.Client.UserAgent)
	e.Client = Client{}
	p.message(&e.Request)
	p.message(&e.Response)
	e.Notes = p.facts(e.Notes)
	e.packed = make([]byte, 0, binary.MaxVarintLen32+len(p.texts)+len(p.bodies))
	e.packed = binary.AppendUvarint(e.packed, uint64(len(p.texts)))
	e.packed = append(append(e.packed, p.texts...), p.bodies...)
}

// Whole returns the entry with who sent the call, its request, its answer and its notes,
// also where a journal keeps it, which takes these out of what it was given.
func (e *Entry) Whole() Entry {
	whole := *e
	whole.unpack()
	return whole
}

// Messages returns an entry with that alone of what Whole has.
func (e *Entry) Messages() *Entry {
	m := &Entry{Client: e.Client, Request: e.Request, Response: e.Response, Notes: e.Notes, packed: e.packed}
	m.unpack()
	return m
}

func (e *Entry) unpack() {
	if e.packed == nil {
		return
	}
	n, begin := binary.Uvarint(e.packed)
	bodies := begin + int(n)
	u := unpacker{texts: string(e.packed[begin:bodies]), bodies: e.packed[bodies:]}
	e.Client = Client{Address: u.text(), UserAgent: u.text()}
	u.message(&e.Request)
	u.message(&e.Response)
	e.Notes = u.facts(e.Notes)
	e.packed = nil
}

// A packer has what is packed of one entry.
type packer struct {
	texts, bodies []byte
}

var packers = sync.Pool{New: func() any { return new(packer) }}

// mostPacked is how much room a packer keeps for the next entry, in bytes.
const mostPacked = 64 << 10

func (p *packer) done() {
	if cap(p.texts)+cap(p.bodies) > mostPacked {
		return
	}
	p.texts, p.bodies = p.texts[:0], p.bodies[:0]
	packers.Put(p)
}

func (p *packer) number(n int) { p.texts = binary.AppendUvarint(p.texts, uint64(n)) }

func (p *packer) text(s string) {
	p.number(len(s))
	p.texts = append(p.texts, s...)
}

func (p *packer) body(b []byte) {
	p.number(len(b))
	p.bodies = append(p.bodies, b...)
}

func (p *packer) message(m *Message) {
	p.text(m.Method)
	p.text(m.URL)
	p.text(m.Host)
	p.header(m.Header)
	p.body(m.Body)
	if p.decoded(m.Decoded, m.Body) {
		m.Decoded = nil
	}
	m.Method, m.URL, m.Host, m.Header, m.Body = "", "", "", nil, nil
}

// list writes how many elements follow. What is nil is told from what is empty.
func (p *packer) list(n int, isNil bool) {
	if isNil {
		n = -1
	}
	p.number(n + 1)
}

func (p *packer) header(h http.Header) {
	p.list(len(h), h == nil)
	for name, values := range h {
		p.text(name)
		p.list(len(values), values == nil)
		for _, v := range values {
			p.text(v)
		}
	}
}

// The kinds of values.
const (
	kindKept = iota // a block cannot hold it, so it stays in the entry
	kindNil
	kindFalse
	kindTrue
	kindString
	kindRaw
	kindNumber
	kindInt
	kindInt64
	kindFloat64
	kindDuration
	kindValues
	kindMap
	kindList
	kindJSON
	kindPart // JSON of which all but its first and its last byte stand in the body
)

// decoded writes what a body says, and reports false where a block cannot hold it.
func (p *packer) decoded(x any, body []byte) bool {
	if raw, is := x.(json.RawMessage); is {
		p.json(raw, body)
		return true
	}
	begin := len(p.texts)
	if p.value(x) {
		return true
	}
	p.texts = append(p.texts[:begin], kindKept)
	return false
}

// json writes what most bodies have within, with members of their own before or behind.
func (p *packer) json(raw json.RawMessage, body []byte) {
	if last := len(raw) - 1; last > 0 {
		if at := bytes.Index(body, raw[1:last]); at >= 0 {
			p.texts = append(p.texts, kindPart, raw[0], raw[last])
			p.number(at)
			p.number(last - 1)
			return
		}
	}
	p.kind(kindJSON)
	p.body(raw)
}

// facts writes notes, and returns those whose values a block cannot hold.
func (p *packer) facts(all contract.Facts) (kept contract.Facts) {
	p.list(len(all), all == nil)
	kept = all[:0]
	for i := range all {
		p.text(all[i].Name)
		begin := len(p.texts)
		if !p.value(all[i].Value) {
			p.texts = append(p.texts[:begin], kindKept)
			kept = append(kept, all[i])
		}
	}
	clear(all[len(kept):])
	if len(kept) == 0 {
		return nil
	}
	return kept
}

func (p *packer) kind(kind byte) { p.texts = append(p.texts, kind) }

func (p *packer) fixed(kind byte, bits uint64) {
	p.texts = binary.LittleEndian.AppendUint64(append(p.texts, kind), bits)
}

func (p *packer) word(kind byte, s string) {
	p.kind(kind)
	p.text(s)
}

func (p *packer) value(x any) bool {
	switch v := x.(type) {
	case nil:
		p.kind(kindNil)
	case bool:
		kind := byte(kindFalse)
		if v {
			kind = kindTrue
		}
		p.kind(kind)
	case string:
		p.word(kindString, v)
	case contract.Raw:
		p.word(kindRaw, string(v))
	case json.Number:
		p.word(kindNumber, string(v))
	case int:
		p.fixed(kindInt, uint64(v))
	case int64:
		p.fixed(kindInt64, uint64(v))
	case float64:
		p.fixed(kindFloat64, math.Float64bits(v))
	case time.Duration:
		p.fixed(kindDuration, uint64(v))
	case contract.Values:
		return p.members(kindValues, v)
	case map[string]any:
		return p.members(kindMap, v)
	case []any:
		p.kind(kindList)
		p.list(len(v), v == nil)
		for _, element := range v {
			if !p.value(element) {
				return false
			}
		}
	default:
		return false
	}
	return true
}

func (p *packer) members(kind byte, members map[string]any) bool {
	p.kind(kind)
	p.list(len(members), members == nil)
	for name, x := range members {
		p.text(name)
		if !p.value(x) {
			return false
		}
	}
	return true
}

// An unpacker reads what a packer wrote, from the front.
type unpacker struct {
	texts  string
	bodies []byte
}

func (u *unpacker) number() int {
	n, shift := 0, 0
	for {
		b := u.texts[0]
		u.texts = u.texts[1:]
		n |= int(b&0x7f) << shift
		if b < 0x80 {
			return n
		}
		shift += 7
	}
}

func (u *unpacker) text() string {
	n := u.number()
	s := u.texts[:n]
	u.texts = u.texts[n:]
	return s
}

// body returns a part of the block. Nobody writes to it.
func (u *unpacker) body() []byte {
	n := u.number()
	b := u.bodies[:n:n]
	u.bodies = u.bodies[n:]
	return b
}

func (u *unpacker) list() (n int, isNil bool) {
	n = u.number() - 1
	return max(n, 0), n < 0
}

func (u *unpacker) message(m *Message) {
	m.Method, m.URL, m.Host = u.text(), u.text(), u.text()
	m.Header = u.header()
	if body := u.body(); len(body) > 0 {
		m.Body = body
	}
	switch kind := u.kind(); kind {
	case kindKept:
	case kindJSON:
		m.Decoded = json.RawMessage(u.body())
	case kindPart:
		raw := json.RawMessage{u.kind()}
		last, at := u.kind(), u.number()
		raw = append(raw, m.Body[at:at+u.number()]...)
		m.Decoded = append(raw, last)
	default:
		m.Decoded = u.value(kind)
	}
}

// facts returns notes, of which some were kept.
func (u *unpacker) facts(kept contract.Facts) contract.Facts {
	n, isNil := u.list()
	if isNil {
		return nil
	}
	all := make(contract.Facts, n)
	for i := range all {
		all[i].Name = u.text()
		if kind := u.kind(); kind != kindKept {
			all[i].Value = u.value(kind)
		} else {
			all[i], kept = kept[0], kept[1:]
		}
	}
	return all
}

func (u *unpacker) header() http.Header {
	n, isNil := u.list()
	if isNil {
		return nil
	}
	h := make(http.Header, n)
	for range n {
		name := u.text()
		n, isNil := u.list()
		var values []string
		if !isNil {
			values = make([]string, n)
		}
		for i := range values {
			values[i] = u.text()
		}
		h[name] = values
	}
	return h
}

func (u *unpacker) kind() byte {
	kind := u.texts[0]
	u.texts = u.texts[1:]
	return kind
}

func (u *unpacker) fixed() uint64 {
	var bits uint64
	for i := range 8 {
		bits |= uint64(u.texts[i]) << (8 * i)
	}
	u.texts = u.texts[8:]
	return bits
}

func (u *unpacker) value(kind byte) any {
	switch kind {
	case kindFalse, kindTrue:
		return kind == kindTrue
	case kindString:
		return u.text()
	case kindRaw:
		return contract.Raw(u.text())
	case kindNumber:
		return json.Number(u.text())
	case kindInt:
		return int(u.fixed())
	case kindInt64:
		return int64(u.fixed())
	case kindFloat64:
		return math.Float64frombits(u.fixed())
	case kindDuration:
		return time.Duration(u.fixed())
	case kindValues:
		return contract.Values(u.members())
	case kindMap:
		return u.members()
	case kindList:
		n, isNil := u.list()
		if isNil {
			return []any(nil)
		}
		list := make([]any, n)
		for i := range list {
			list[i] = u.value(u.kind())
		}
		return list
	}
	return nil
}

func (u *unpacker) members() map[string]any {
	n, isNil := u.list()
	if isNil {
		return nil
	}
	members := make(map[string]any, n)
	for range n {
		name := u.text()
		members[name] = u.value(u.kind())
	}
	return members
}
