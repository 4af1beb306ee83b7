package output

import (
	"maps"
	"slices"
)

// The forms in which answers are printed. Commands take their names with -o, and the
// control API as format.
const (
	FormTable    = "table" // for people
	FormJSON     = "json"
	FormTAP      = "tap"
	FormJUnit    = "junit"
	FormMarkdown = "markdown"
	FormHTML     = "html"
	FormHAR      = "har" // of a journal
)

// What kinds of answers are printed in: the first is what a command prints unasked.
var (
	AnswerForms = []string{FormTable, FormJSON}
	ListForms   = []string{FormTable, FormJSON, FormMarkdown}
	CheckForms  = []string{FormTable, FormJSON, FormTAP, FormJUnit, FormMarkdown} // of what holds or does not
)

// OtherWords are words for forms that have another name here.
var OtherWords = map[string]string{"text": FormTable}

// mediaTypes are those of the forms.
var mediaTypes = map[string]string{
	FormTable: "text/plain; charset=utf-8", FormJSON: "application/json", FormTAP: "text/plain; charset=utf-8",
	FormJUnit: "application/xml", FormMarkdown: "text/markdown; charset=utf-8", FormHTML: "text/html; charset=utf-8",
}

// MediaType is the media type of a form.
func MediaType(form string) string { return mediaTypes[form] }

// OtherMediaTypes lists those of forms beside JSON's.
func OtherMediaTypes(forms []string) []string {
	types := map[string]bool{}
	for _, form := range forms {
		if form != FormJSON {
			types[mediaTypes[form]] = true
		}
	}
	return slices.Sorted(maps.Keys(types))
}
