package main

import (
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"github.com/understudy-suite/understudy/internal/output"
	"github.com/understudy-suite/understudy/internal/replay"
)

// withoutForm are the commands that have no -o for forms, and why.
var withoutForm = map[string]string{
	"serve":           "its log has --log",
	"call":            "it prints an exchange as HTTP has it; journal show has the other forms",
	"handbook":        "its -o names a folder, and its pages are Markdown",
	"openapi":         "it writes a document",
	"schema":          "it writes a document",
	"snapshot save":   "it writes a document",
	"fixture save":    "it writes a document",
	"hosts":           "it writes a file, whose form --for names",
	"ca print":        "it writes a file",
	"ca path":         "it is one line for scripts",
	"ca install-hint": "it is for people, and --for names whose",
	"scenarios off":   "the control API answers nothing to it",
}

// arguments have each command do something. Those that are not named need none.
var arguments = map[string][]string{
	"list":             {"apis"},
	"validate":         {"../../scenarios/youdu"},
	"scenarios on":     {"no-idle", "--times", "1"},
	"sandbox drop":     {"ci"},
	"snapshot load":    {"SNAPSHOT"},
	"journal show":     {"default-1"},
	"verify":           {"CHECKS"},
	"clock advance":    {"1s"},
	"clock scale":      {"60"},
	"trigger":          {"adobepass", "degradation", "service_provider=REF30", "mvpd=Cablevision", "rule=AuthNAll"},
	"sandbox new":      {"--ttl", "10m"},
	"coverage":         {"--fail-under", "1"},
	"scenarios status": {},
	"journal":          {},
	"sandbox list":     {},
	"env":              {},
	"reset":            {"--only", "dice"},
	"clock":            {},
	"clock freeze":     {},
	"clock follow":     {},
	"health":           {},
	"doctor":           {},
	"version":          {},
}

// Every command that prints an answer takes -o table and -o json; every form that it
// takes is one of the known ones and is written as that form; any other is refused with
// the list of those that it takes.
func TestEveryCommandHasForms(t *testing.T) {
	t.Parallel()
	s := start(t)
	at(t, s, apply("u-1")...).want(t, exitDone)
	files := map[string]string{
		"CHECKS":   file(t, "checks.yaml", "{operation: ApplyConcurrent, count: {exactly: 1}}"),
		"SNAPSHOT": file(t, "snapshot.json", at(t, s, "snapshot", "save", "-").out),
	}
	known := append(slices.Clone(output.CheckForms), output.FormHTML, output.FormHAR)
	vars := append([]string{"UNDERSTUDY_CONTROL=" + s.ControlURL}, anyPorts[1:]...)
	walked := 0
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
		_, name, _ := strings.Cut(cmd.CommandPath(), " ")
		flag := cmd.Flags().Lookup("output")
		if _, without := withoutForm[name]; without || name == "" || cmd.HasSubCommands() && flag == nil {
			if flag != nil {
				t.Errorf("%s has -o, and is an exception", name)
			}
			return
		}
		if flag == nil {
			t.Errorf("%s has no -o", name)
			return
		}
		walked++
		forms := flag.Value.(*choice).known
		if !slices.Equal(forms[:2], output.AnswerForms) || flag.DefValue != output.FormTable {
			t.Errorf("%s: the forms are %v, by default %s", name, forms, flag.DefValue)
		}
		var args []string
		for _, arg := range arguments[name] {
			if path, is := files[arg]; is {
				arg = path
			}
			args = append(args, arg)
		}
		words := append(strings.Fields(name), args...)
		for _, form := range append(slices.Clone(forms), "text") {
			if !slices.Contains(known, form) && form != "text" && !slices.Contains(replay.Forms, form) {
				t.Errorf("%s: the form %s is unknown", name, form)
			}
			if name == "sandbox drop" {
				at(t, s, "sandbox", "new", "ci").want(t, exitDone)
			}
			got := command(t, vars, "", append(words, "-o", form)...)
			if got.code != exitDone || got.out == "" {
				t.Errorf("%s -o %s: %d\n%s%s", name, form, got.code, got.out, got.err)
			}
			if err := wellFormed(form, got.out); err != nil {
				t.Errorf("%s -o %s: %v in\n%s", name, form, err, got.out)
			}
		}
		command(t, vars, "", append(words, "-o", "tab")...).want(t, exitUsage, "!"+strings.Join(forms, " or ")+` was expected`)
		for _, form := range known {
			if !slices.Contains(forms, form) {
				command(t, vars, "", append(words, "-o", form)...).want(t, exitUsage, "!"+strings.Join(forms, " or ")+" was expected")
			}
		}
	}
	walk(newRoot(environment()))
	if walked < len(arguments) {
		t.Errorf("%d commands were walked", walked)
	}
}

// wellFormed says where a text is not of a form.
func wellFormed(form, text string) error {
	switch form {
	case output.FormJSON, output.FormHAR:
		if !json.Valid([]byte(text)) {
			return errors.New("no JSON")
		}
	case output.FormTAP:
		if !strings.HasPrefix(text, "TAP version 14\n1..") {
			return errors.New("no TAP")
		}
	case output.FormJUnit:
		d := xml.NewDecoder(strings.NewReader(text))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				return nil
			} else if err != nil {
				return err
			}
		}
	case output.FormMarkdown:
		if !strings.Contains(text, "| --- |") {
			return errors.New("no table in Markdown")
		}
	case output.FormHTML:
		if !strings.HasPrefix(text, "<!DOCTYPE html>") {
			return errors.New("no HTML")
		}
	default:
		if json.Valid([]byte(text)) {
			return errors.New("this is JSON")
		}
	}
	return nil
}

// What does not hold is told in the forms that CI servers read.
func TestValidateForms(t *testing.T) {
	t.Parallel()
	bad := file(t, "bad.yaml", "scenario: x\napi: toy\nrules: []\n")
	good := file(t, "good.yaml", "scenario: good\napi: youdu\nrules:\n  - {operation: GetToken, outcome: success}\n")
	at := func(form string) result { return command(t, nil, "", "validate", good, bad, "-o", form) }
	at("tap").want(t, exitFailed, "1..2\nok 1 - "+good+"\nnot ok 2 - "+bad+"\n  ---\n  faults: [\""+bad+":2:", "!2 files, ")
	at("junit").want(t, exitFailed, `failures="1"`, `<testcase classname="understudy.validate" name="`+good+`"></testcase>`)
	at("markdown").want(t, exitFailed, "| file | result | faults |", "| ok |  |", "| problem | ")
	at("json").want(t, exitFailed, `"result": "ok",`, `"faults": []`, `"result": "problem",`)
	command(t, []string{"UNDERSTUDY_OUTPUT=tpa"}, "", "validate", good).want(t, exitUsage, `!did you mean "tap"?`)
}

func TestDoctorForms(t *testing.T) {
	t.Parallel()
	lost := []string{"doctor", "--control", noServer}
	command(t, nil, "", append(lost, "-o", "tap")...).want(t, exitFailed, "TAP version 14\n", "not ok ", " - control\n  ---\n  found: ", "  mend: ")
	command(t, nil, "", append(lost, "-o", "junit")...).want(t, exitFailed, `<testcase classname="understudy.doctor" name="control">`, `<failure message="no server answers`)
	command(t, []string{"UNDERSTUDY_NONSENSE=1"}, "", append(lost, "-o", "tap")...).want(t, exitFailed, " - settings # SKIP warning: the environment variable UNDERSTUDY_NONSENSE sets nothing")
}
