package schema

import (
	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
)

// Fixture is the schema of fixture files for these APIs.
func Fixture(apis []*contract.API) []byte {
	var each list
	for _, api := range apis {
		keys := mapping(fixture.Rows(api))
		if given, has := keys["properties"].(object)["given"].(object); has {
			item := given["items"].(object) // of one key: what happened
			item["minProperties"], item["maxProperties"] = 1, 1
		}
		each = append(each, ifThen("api", api.Name, keys))
	}
	return encode(object{
		"$schema": draft, "title": "A fixture of understudy",
		"description": "The initial state of an API: fixtures/<api>/<name>.yaml.",
		"type":        "object", "required": list{"fixture", "api"},
		"properties": object{
			"fixture": stringWith("The fixture's name: the file's."),
			"api":     object{"enum": apiNames(apis), "description": "The API whose world it is."},
		},
		"allOf": each,
	})
}
