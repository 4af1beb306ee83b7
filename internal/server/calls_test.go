package server_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/understudy-suite/understudy/internal/server"
)

// The line of a call and the closing table name no secret, even where a sandbox and a
// scenario are called by it.
func TestCallsAreLoggedWithoutSecrets(t *testing.T) {
	t.Parallel()
	c := config()
	var log logbook
	c.FromEnv, c.LogCall = true, func(c server.LoggedCall) { _, _ = fmt.Fprintf(&log, "%+v\n", c) }
	c.Env = func(name string) string { return map[string]string{"TOY_TOKEN": "twice-told"}[name] }
	c.ShippedScenarios = fstest.MapFS{"toy/twice-told.yaml": {Data: []byte("scenario: twice-told\napi: toy\nrules: [{operation: Page, outcome: broken, times: 1}, {operation: Page, times: 1, outcome: broken}, {operation: Register, outcome: broken}]")}}
	c.Activate = []string{"twice-told"}
	s, err := server.Start(c)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		get(t, s.DoorURL+"/@twice-told/toy/page?token=twice-told")
	}
	if err := s.Close(t.Context()); err != nil {
		t.Fatal(err)
	}
	text := log.String()
	for _, form := range []string{"text", "markdown", "json"} {
		closing, err := s.Closing(form)
		if err != nil || !strings.Contains(closing, "Register") || !strings.Contains(closing, "TOY") {
			t.Errorf("%s: got %s, %v", form, closing, err)
		}
		text += closing
	}
	if strings.Contains(text, "twice-told") {
		t.Errorf("a secret is told: %s", text)
	}
	for _, want := range []string{
		"ID:env:TOY_TOKEN-1 Sandbox:env:TOY_TOKEN API:toy Operation:Page Outcome:broken DecidedBy:scenario toy/env:TOY_TOKEN rule 1 DurationMS:",
		"Delivered:sent Cause:scenario Why:Rule 1 of",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s in %s", want, text)
		}
	}
}

func TestClosingCountsWhatWasLost(t *testing.T) {
	t.Parallel()
	c := config()
	c.Journal = 2
	s := start(t, c)
	for range 5 {
		get(t, s.DoorURL+"/@gone/toy/page")
	}
	q, err := http.NewRequest(http.MethodDelete, s.ControlURL+"/v1/sandboxes/gone", nil)
	if err != nil {
		t.Fatal(err)
	}
	answer, err := http.DefaultClient.Do(q)
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	closing, err := s.Closing("text")
	if err != nil || !strings.Contains(closing, "in 5 calls.") || !strings.Contains(closing, "gave way to later ones: 3.") {
		t.Errorf("got %s, %v", closing, err)
	}
}
