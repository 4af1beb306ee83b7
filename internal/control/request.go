package control

import (
	"errors"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/wire"
)

// request is a request that found its route.
type request struct {
	*http.Request
	path  map[string]string // what stands in the places of the path
	query map[string]string
	limit int64 // of the body, in bytes

	answer http.ResponseWriter
}

// body reads the whole body, up to the limit.
func (a *request) body() ([]byte, error) {
	if coding := a.Header.Get("Content-Encoding"); coding != "" && !strings.EqualFold(coding, "identity") {
		return nil, refuse(http.StatusUnsupportedMediaType, "the body is encoded as %s; send it as it is", quote(coding))
	}
	body, err := io.ReadAll(io.LimitReader(a.Body, a.limit+1))
	if err != nil {
		return nil, refuse(http.StatusBadRequest, "the body broke off: %v", err)
	}
	if int64(len(body)) > a.limit {
		a.discard()
		return nil, refuse(http.StatusRequestEntityTooLarge, "the body has more than %d bytes, which is the most that is taken; send less", a.limit)
	}
	return body, nil
}

// What is taken from a client whose body is too long.
const (
	mostDiscarded = 64 << 20 // bytes
	discardTime   = 5 * time.Second
)

// discard reads on and throws away, within bounds: a client that is still writing reads
// no answer, and its connection would be reset before it does.
func (a *request) discard() {
	conn := http.NewResponseController(a.answer)
	late := time.AfterFunc(discardTime, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) }) // which ends a read that waits
	defer late.Stop()
	_, _ = io.CopyN(io.Discard, a.Body, mostDiscarded)
}

// object reads the body as a JSON object with no members but the known ones.
// An empty body counts as an empty object.
func (a *request) object(known ...string) (contract.Values, error) {
	members, err := a.members()
	if err != nil {
		return nil, err
	}
	for _, name := range slices.Sorted(maps.Keys(members)) {
		if !slices.Contains(known, name) {
			return nil, refuse(http.StatusBadRequest, "the body has a member %s, which is unknown here%s", quote(name), hintAll(name, known))
		}
	}
	return members, nil
}

// members reads the body as a JSON object of any members.
func (a *request) members() (contract.Values, error) {
	body, err := a.body()
	if err != nil || len(strings.TrimSpace(string(body))) == 0 {
		return contract.Values{}, err
	}
	members, err := wire.Object(body)
	var fault *wire.Fault
	if errors.As(err, &fault) {
		return nil, refuse(http.StatusBadRequest, "the body cannot be read as a JSON object: %v", fault)
	}
	return members, err
}

// yaml reports whether the Content-Type says YAML.
func (a *request) yaml() bool {
	kind, _, err := mime.ParseMediaType(a.Header.Get("Content-Type"))
	return err == nil && strings.HasSuffix(kind, "yaml")
}
