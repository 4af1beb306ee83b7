package player_test

import (
	"time"

	"github.com/understudy-suite/understudy/internal/scenario/player"
	"github.com/understudy-suite/understudy/internal/scenario/scenariotest"
)

// The API of these tests.
var (
	success       = scenariotest.Success
	noIdle        = scenariotest.NoIdle
	expired       = scenariotest.Expired
	internalError = scenariotest.InternalError
	create        = scenariotest.Create
	list          = scenariotest.List
	login         = scenariotest.Login
	toy           = scenariotest.Toy
	other         = scenariotest.Other
	apis          = scenariotest.APIs
	noon          = scenariotest.Noon
	call          = scenariotest.Call
)

func newPlayer() *player.Player {
	return player.New(apis, 1, func() time.Time { return noon })
}

// text is a scenario file.
func text(api, name, description string) string {
	return "scenario: " + name + "\napi: " + api + "\ndescription: " + description + "\nrules:\n  - {operation: Create, outcome: success}\n"
}
