package conformance

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
)

// forms are the forms that invented values have; the first that fits counts.
var forms = []struct {
	name string
	fits func(string) bool
}{
	{"UUID", regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`).MatchString},
	{"digits", regexp.MustCompile(`^[0-9]+$`).MatchString},
	{"hexadecimal", regexp.MustCompile(`^[0-9a-f]{16,}$`).MatchString},
	{"base64", func(s string) bool {
		_, err := base64.StdEncoding.DecodeString(s)
		return err == nil && len(s) >= 8
	}},
	{"text", func(string) bool { return true }},
}

func form(s string) string {
	for _, f := range forms {
		if f.fits(s) {
			if f.name == "hexadecimal" {
				return fmt.Sprintf("%s of length %d", f.name, len(s))
			}
			return f.name
		}
	}
	return ""
}

// generalise puts the form of a value in the place of each value whose name is
// invented.
func generalise(text string, invented []string) string {
	for _, name := range invented {
		quoted := regexp.MustCompile(regexp.QuoteMeta(`"`+name+`"`) + `:\s*("(?:[^"\\]|\\.)*"|[0-9.]+)`)
		text = quoted.ReplaceAllStringFunc(text, func(member string) string {
			at := strings.Index(member, ":")
			var s string
			raw := strings.TrimSpace(member[at+1:])
			if json.Unmarshal([]byte(raw), &s) != nil {
				s = raw
			}
			return member[:at] + ": <" + form(s) + ">"
		})
		header := regexp.MustCompile(`(?m)^` + regexp.QuoteMeta(name) + `: .*$`)
		text = header.ReplaceAllStringFunc(text, func(line string) string {
			return name + ": <" + form(strings.TrimPrefix(line, name+": ")) + ">"
		})
	}
	return text
}
