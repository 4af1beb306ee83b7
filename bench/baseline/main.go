// Command baseline is what a team would write instead of understudy: a handler that decodes a request and answers with a
// struct, bare, or for tencentcar's CreateSession with the signature verified and the call kept in a journal.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/labstack/echo/v4"
)

// longest is the longest body that is read.
const longest = 1 << 20

// journalled is how many calls the journals keep.
const journalled = 1000

func main() {
	kind := flag.String("kind", "echo", "echo: bare; plain, careful: the signature verified, and a journal")
	call := flag.String("call", "tencentcar/CreateSession", "the call that is answered, api/Operation")
	answer := flag.String("answer", "", "file with the body that is answered")
	address := flag.String("address", "127.0.0.1:0", "where to listen")
	id := flag.String("id", "", "the caller's SecretId")
	secret := flag.String("secret", "", "the caller's SecretKey")
	flag.Parse()
	if err := serve(*kind, *call, *answer, *address, map[string]string{*id: *secret}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func serve(kind, call, answer, address string, secrets map[string]string) error {
	body, err := os.ReadFile(answer)
	if err != nil {
		return fmt.Errorf("the answer: %w", err)
	}
	route, known := routes[call]
	if !known {
		return fmt.Errorf("no handler is written for %s", call)
	}
	make := route.make
	switch kind {
	case "plain":
		make = func(example []byte) (echo.HandlerFunc, error) { return plain(example, secrets) }
	case "careful":
		make = func(example []byte) (echo.HandlerFunc, error) { return careful(example, secrets) }
	}
	handler, err := make(body)
	if err != nil {
		return fmt.Errorf("the answer of %s: %w", call, err)
	}
	e := echo.New()
	e.HideBanner, e.HidePort = true, true
	e.Add(route.method, route.path, handler)
	return e.Start(address)
}

// A route is one call with its bare handler, which answers as the example does.
type route struct {
	method, path string
	make         func(example []byte) (echo.HandlerFunc, error)
}

var routes = map[string]route{
	"tencentcar/CreateSession": {http.MethodPost, "/", createSession},
	"adobemedia/StartSession":  {http.MethodPost, "/api/v1/sessions", startSession},
	"adobemedia/SendEvent":     {http.MethodPost, "/api/v1/sessions/:sid/events", sendEvent},
	"adobepass/CreateSession":  {http.MethodPost, "/api/v2/:serviceProvider/sessions", createAuthentication},
	"adobepass/GetProfiles":    {http.MethodGet, "/api/v2/:serviceProvider/profiles", getProfiles},
	"youdu/GetToken":           {http.MethodPost, "/cgi/gettoken", sealed},
	"youdu/SendMessage":        {http.MethodPost, "/cgi/session/send", sealed},
	"polyv/ListSessionData":    {http.MethodGet, "/live/v3/channel/session/data/list", listSessions},
}

// like decodes an example into the struct that a handler answers with. A member that the struct lacks would make the
// answer shorter than understudy's, and is refused.
func like[T any](example []byte) (*T, error) {
	out := new(T)
	d := json.NewDecoder(bytes.NewReader(example))
	d.DisallowUnknownFields()
	return out, d.Decode(out)
}

// decode reads a body of JSON.
func decode(c echo.Context, in any) error {
	raw, err := io.ReadAll(io.LimitReader(c.Request().Body, longest))
	if err != nil {
		return err
	}
	return json.Unmarshal(raw, in)
}

type sessionRequest struct {
	UserID        string `json:"UserId"`
	UserIP        string `json:"UserIp"`
	ClientSession string `json:"ClientSession"`
}

type sessionAnswer struct {
	Response struct {
		ServerSession string `json:"ServerSession"`
		RequestID     string `json:"RequestId"`
	} `json:"Response"`
}

func createSession(example []byte) (echo.HandlerFunc, error) {
	out, err := like[sessionAnswer](example)
	return func(c echo.Context) error {
		if c.Request().Header.Get("X-TC-Action") != "CreateSession" {
			return c.NoContent(http.StatusNotFound)
		}
		var in sessionRequest
		if err := decode(c, &in); err != nil || in.UserID == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, out)
	}, err
}

type mediaEvent struct {
	EventType  string         `json:"eventType"`
	Params     map[string]any `json:"params"`
	PlayerTime struct {
		Playhead float64 `json:"playhead"`
		TS       int64   `json:"ts"`
	} `json:"playerTime"`
}

func startSession([]byte) (echo.HandlerFunc, error) {
	return func(c echo.Context) error {
		var in mediaEvent
		if err := decode(c, &in); err != nil || in.EventType != "sessionStart" || in.Params == nil {
			return c.NoContent(http.StatusBadRequest)
		}
		c.Response().Header().Set("Location", "/api/v1/sessions/3a7ca77f8c48faee0a548b0d1dcd1fb46892762d83d5383dbf0207dee95d988b")
		return c.NoContent(http.StatusCreated)
	}, nil
}

func sendEvent([]byte) (echo.HandlerFunc, error) {
	return func(c echo.Context) error {
		var in mediaEvent
		if err := decode(c, &in); err != nil || in.EventType == "" || c.Param("sid") == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.NoContent(http.StatusNoContent)
	}, nil
}

type authentication struct {
	ActionName      string `json:"actionName"`
	ActionType      string `json:"actionType"`
	ReasonType      string `json:"reasonType"`
	URL             string `json:"url"`
	Code            string `json:"code"`
	SessionID       string `json:"sessionId"`
	Mvpd            string `json:"mvpd"`
	ServiceProvider string `json:"serviceProvider"`
	NotBefore       string `json:"notBefore"`
	NotAfter        string `json:"notAfter"`
}

func createAuthentication(example []byte) (echo.HandlerFunc, error) {
	out, err := like[authentication](example)
	return func(c echo.Context) error {
		if c.FormValue("mvpd") == "" || c.FormValue("domainName") == "" || c.FormValue("redirectUrl") == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, out)
	}, err
}

type profiles struct {
	Profiles map[string]struct {
		NotBefore  int64  `json:"notBefore"`
		NotAfter   int64  `json:"notAfter"`
		Issuer     string `json:"issuer"`
		Type       string `json:"type"`
		Attributes map[string]struct {
			Value string `json:"value"`
			State string `json:"state"`
		} `json:"attributes"`
	} `json:"profiles"`
}

func getProfiles(example []byte) (echo.HandlerFunc, error) {
	out, err := like[profiles](example)
	return func(c echo.Context) error {
		if c.Param("serviceProvider") == "" || c.Request().Header.Get("AP-Device-Identifier") == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, out)
	}, err
}

type sealedRequest struct {
	Buin    int    `json:"buin"`
	AppID   string `json:"appId"`
	Encrypt string `json:"encrypt"`
}

type sealedAnswer struct {
	Code    int    `json:"errcode"`
	Message string `json:"errmsg"`
	Encrypt string `json:"encrypt,omitempty"`
}

func sealed(example []byte) (echo.HandlerFunc, error) {
	out, err := like[sealedAnswer](example)
	return func(c echo.Context) error {
		var in sealedRequest
		if err := decode(c, &in); err != nil || in.AppID == "" || in.Encrypt == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, out)
	}, err
}

type sessionList struct {
	Code    int    `json:"code"`
	Status  string `json:"status"`
	Message string `json:"message"`
	Data    struct {
		PageSize   int `json:"pageSize"`
		PageNumber int `json:"pageNumber"`
		TotalItems int `json:"totalItems"`
		Contents   []struct {
			SessionID string  `json:"sessionId"`
			ChannelID int     `json:"channelId"`
			UserID    string  `json:"userId"`
			StartTime int64   `json:"startTime"`
			EndTime   int64   `json:"endTime"`
			CustomID  *string `json:"customId"`
		} `json:"contents"`
		Limit          int  `json:"limit"`
		NextPageNumber int  `json:"nextPageNumber"`
		StartRow       int  `json:"startRow"`
		FirstPage      bool `json:"firstPage"`
		LastPage       bool `json:"lastPage"`
		PrePageNumber  int  `json:"prePageNumber"`
		EndRow         int  `json:"endRow"`
		TotalPages     int  `json:"totalPages"`
		Offset         int  `json:"offset"`
	} `json:"data"`
}

func listSessions(example []byte) (echo.HandlerFunc, error) {
	out, err := like[sessionList](example)
	return func(c echo.Context) error {
		if c.QueryParam("channelId") == "" || c.QueryParam("sign") == "" || c.QueryParam("timestamp") == "" {
			return c.NoContent(http.StatusBadRequest)
		}
		return c.JSON(http.StatusOK, out)
	}, err
}
