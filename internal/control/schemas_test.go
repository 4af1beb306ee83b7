package control_test

import "testing"

func TestSchemas(t *testing.T) {
	t.Parallel()
	s := newTestServer(t, nil)
	kind := [2]string{"Content-Type", "application/schema+json"}
	s.check([]row{
		{method: "GET", target: "/v1/schemas/scenario.json", status: 200, header: kind, want: []string{
			`"$schema":"https://json-schema.org/draft/2020-12/schema"`, `"const":"SoldOut.NoHat"`, `"enum":["toy","plain","all"]`,
		}},
		{method: "HEAD", target: "/v1/schemas/fixture.json", status: 200, header: kind},
		{method: "GET", target: "/v1/schemas/fixture.json", status: 200, header: kind, want: []string{`"patience":`, `"hats":`}},
		{method: "GET", target: "/v1/schemas/scenarios.json", status: 404, want: []string{`did you mean \"/v1/schemas/scenario.json\"?`}},
	})
}
