// Package handbook derives the pages of the handbook, and the README's table
// of APIs, from the tables. Nothing in them is written twice: a page says what
// the emulator does because both read the same rows.
package handbook

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/understudy-suite/understudy/internal/contract"
	"github.com/understudy-suite/understudy/internal/fixture"
	"github.com/understudy-suite/understudy/internal/scenario"
	"github.com/understudy-suite/understudy/internal/scenario/library"
)

// Page is the handbook page of an API. Of scenarios and fixtures it shows
// those of the API. The same tables give the same bytes.
func Page(api *contract.API, scenarios []library.Listed, fixtures []*fixture.Fixture) []byte {
	p := &page{}
	p.line("<!-- Made from the tables by: understudy handbook -o docs/handbook. Do not edit. -->")
	p.line("")
	p.heading(1, api.Title)
	p.line("Documentation: <%s>. What is marked *inferred* is on no page; it is our conclusion, and the real service may do otherwise.", api.Docs)
	p.line("")
	p.address(api)
	p.heading(2, "Operations")
	p.line("A parameter that is *expected* is documented as required, yet its absence is answered by an outcome of its own.\n")
	for _, op := range api.Operations {
		p.line("- [%s](#%s)%s", op.Name, anchor(op.Name), helper(op))
	}
	p.line("")
	for _, op := range api.Operations {
		p.operation(api, op)
	}
	p.checks(api)
	p.outcomes("Common outcomes", "Any operation may end in these.", api.Common)
	p.rows(2, "What an error returns", api.Failure)
	p.switches(api)
	p.keys(api)
	p.adopts(api)
	p.triggers(api)
	p.givens(api)
	p.scenarios(api, scenarios)
	p.fixtures(api, fixtures)
	return append(bytes.TrimRight(p.Bytes(), "\n"), '\n')
}

// Table is the README's table of APIs.
func Table(apis []*contract.API) []byte {
	p := &page{}
	p.table("API", "Stands in for", "Port", "Operations", "Handbook")
	for _, api := range apis {
		p.row(code(api.Name), "["+escape(api.Title)+"]("+api.Docs+")", strconv.Itoa(api.Port),
			strconv.Itoa(documented(api)), "[page](docs/handbook/"+api.Name+".md)")
	}
	return p.Bytes()
}

// documented counts the operations of an API, those of ours left out.
func documented(api *contract.API) (n int) {
	for _, op := range api.Operations {
		if !op.Helper {
			n++
		}
	}
	return n
}

// page is a page of Markdown in the making.
type page struct{ bytes.Buffer }

func (p *page) line(format string, args ...any) { _, _ = fmt.Fprintf(p, format+"\n", args...) }

func (p *page) heading(level int, text string) {
	p.line("%s %s\n", strings.Repeat("#", level), escape(text))
}

// table begins a table.
func (p *page) table(columns ...string) {
	p.row(columns...)
	p.row(strings.Split(strings.Repeat("---\n", len(columns)-1)+"---", "\n")...)
}

// row writes a row of a table. Its cells are Markdown.
func (p *page) row(cells ...string) { p.line("| %s |", strings.Join(cells, " | ")) }

// known says which names of a pattern are known.
func known(h contract.Host) string {
	if len(h.Known) == 0 {
		return ""
	}
	names := make([]string, len(h.Known))
	for i, name := range h.Known {
		names[i] = code(name)
	}
	return " (" + strings.Join(names, ", ") + ")"
}

func (p *page) address(api *contract.API) {
	p.heading(2, "Where it is")
	var hosts []string
	for _, h := range api.Hosts {
		hosts = append(hosts, code(h.Name)+known(h))
	}
	documented := ""
	if len(hosts) > 0 {
		documented = "a documented host name, by "
	}
	p.line("Its own port is %d: `http://127.0.0.1:%[1]d`. At the door that all APIs share, `http://127.0.0.1:6410`, it is found by %[3]sthe host name `%[2]s.localhost` or by the path `/%[2]s/`.", api.Port, api.Name, documented)
	p.line("")
	named := "`Host: " + api.Name + ".localhost`"
	if len(hosts) > 0 {
		p.line("Documented hosts: %s.", strings.Join(hosts, ", "))
		p.line("")
		named = "one of the hosts above in its `Host` header"
	}
	p.line("Point a client at `http://127.0.0.1:%d` as its endpoint, or have it use the door with %s. A call by hand:", api.Port, named)
	p.line("")
	p.line("```console")
	p.line("$ understudy call %s %s%s", api.Name, api.Operations[0].Name, arguments(api.Operations[0]))
	p.line("```")
	p.line("")
	if len(api.Credentials) == 0 {
		return
	}
	p.line("Credentials, as `GET /v1/sandboxes/default` of the control API returns them:")
	p.line("")
	p.table("Name", "Variable of the client libraries", "What it is")
	for _, c := range api.Credentials {
		kind := "a secret"
		if c.Identifier {
			kind = "an identifier"
		}
		p.row(code(c.Name), code(c.Env), kind)
	}
	p.line("")
}

// arguments are values that the operation's table accepts, as call takes them.
func arguments(op *contract.Operation) string {
	var b strings.Builder
	in := contract.Sample(op.Params)
	for i := range op.Params {
		r := &op.Params[i]
		if r.Need == contract.Optional || r.Type == contract.List || r.Type == contract.Object {
			continue
		}
		fmt.Fprintf(&b, " %s=%v", r.Name, in[r.Name])
	}
	return b.String()
}

func helper(op *contract.Operation) string {
	if op.Helper {
		return ": an operation of understudy's own, beside the documented ones"
	}
	return ""
}

func (p *page) operation(api *contract.API, op *contract.Operation) {
	p.heading(3, op.Name)
	if op.Doc != "" {
		p.line("%s\n", withCertainty(op.Doc, op.Cite))
	}
	p.line("%s%s%s\n", code(op.Method+" "+op.Path), aliases(op), rate(op))
	if op.Cite != "" {
		p.line("Source: %s.\n", source(op.Cite))
	}
	p.rows(4, "Parameters of "+op.Name, op.Params)
	p.ends(op.Outcomes)
	p.statuses(api, op)
	for _, o := range op.Outcomes {
		if len(o.Returns) > 0 {
			p.rows(4, "What "+op.Name+" returns with "+o.Name, o.Returns)
		}
	}
	p.line("It may also end in the outcomes of the checks of %s and in the common outcomes; all are below.\n", escape(api.Title))
}

func aliases(op *contract.Operation) string {
	var b strings.Builder
	for _, path := range op.Aliases {
		b.WriteString(", also " + code(path))
	}
	return b.String()
}

func rate(op *contract.Operation) string {
	if op.Rate == 0 {
		return ""
	}
	return fmt.Sprintf("; documented limit: %d calls a second", op.Rate)
}

// rows writes a table of parameters, those inside of objects by dotted names.
func (p *page) rows(level int, heading string, rows []contract.Param) {
	if len(rows) == 0 {
		return
	}
	p.heading(level, heading)
	p.table("Name", "Place", "Type", "Need", "Values", "What it is")
	each("", rows, func(name string, r *contract.Param) {
		p.row(code(name), place(r.In), kind(r), need(r.Need), values(r), withCertainty(r.Doc, r.Cite))
	})
	p.line("")
}

// each walks rows and those inside of them, with their dotted names.
func each(under string, rows []contract.Param, do func(name string, r *contract.Param)) {
	for i := range rows {
		r := &rows[i]
		name := under + r.Name
		do(name, r)
		if r.Type == contract.List {
			name += "[]"
		}
		each(name+".", r.Fields, do)
	}
}

// keys describes the lists of a fixture file. Their form is ours and no page's, so
// that nothing of it is inferred.
func (p *page) keys(api *contract.API) {
	if len(api.Fixture) == 0 {
		return
	}
	p.heading(2, "Lists of a fixture file")
	p.line("A fixture file has these keys beside `fixture`, `api`, `description` and the switches.\n")
	p.table("Key", "Type", "Need", "Values", "What it is")
	each("", api.Fixture, func(name string, r *contract.Param) {
		p.row(code(name), kind(r), need(r.Need), values(r), escape(r.Doc))
	})
	p.line("")
}

// adopts lists the identifiers that clients may bring along. What becomes of them is ours
// and no page's.
func (p *page) adopts(api *contract.API) {
	if len(api.Adopts) == 0 {
		return
	}
	p.heading(2, "Ids that are adopted")
	p.line("With `--unknown adopt`, an id that the fixture does not know is taken in at first sight: [Strictness](../strictness.md).\n")
	p.table("Id", "Such as", "Finds its sandbox", "What it becomes")
	for i := range api.Adopts {
		row := &api.Adopts[i]
		finds := "no"
		if row.Routes {
			finds = "yes"
		}
		p.row(code(row.What), code(api.Such(row)), finds, escape(row.Doc))
	}
	p.line("")
}

func place(in contract.Place) string {
	return [...]string{"body", "form", "query", "path", "header"}[in]
}

func kind(r *contract.Param) string {
	name := r.Type.String()
	if r.Type == contract.List {
		name = "array of " + r.Of.String()
	}
	if r.Nullable {
		name += " or null"
	}
	return name
}

func need(n contract.Need) string {
	return [...]string{"optional", "required", "*expected*"}[n]
}

// values describes the values of a row: the listed values, its limits, an example.
func values(r *contract.Param) string {
	var parts []string
	if len(r.OneOf) > 0 {
		var all []string
		for _, v := range r.OneOf {
			all = append(all, codeOrNone(v))
		}
		parts = append(parts, strings.Join(all, ", "))
	}
	switch {
	case r.Type == contract.String && r.Max > 0:
		parts = append(parts, fmt.Sprintf("at most %d characters", r.Max))
	case r.Min != 0 || r.Max != 0:
		parts = append(parts, fmt.Sprintf("%d to %d", r.Min, r.Max))
	}
	if r.Default != nil {
		parts = append(parts, "default "+codeOrNone(plain(r.Default)))
	}
	if r.Example != "" {
		parts = append(parts, "such as "+codeOrNone(r.Example))
	}
	return strings.Join(parts, "; ")
}

func plain(value any) string {
	if d, ok := value.(time.Duration); ok {
		return d.String()
	}
	return fmt.Sprint(value)
}

// codeOrNone returns a value in code, or the text for none.
func codeOrNone(value string) string {
	if value == "" {
		return "empty"
	}
	return code(value)
}

// ends writes the outcomes of an operation.
func (p *page) ends(outcomes []*contract.Outcome) {
	p.table("Outcome", "Status", "Message", "What it means")
	for _, o := range outcomes {
		p.end(o)
	}
	p.line("")
}

// statuses writes which outcomes have another status here than elsewhere.
func (p *page) statuses(api *contract.API, op *contract.Operation) {
	for _, o := range api.Ends(op) {
		if own, found := op.Statuses[o]; found {
			p.line("The page prints status %d for %s, which has %d elsewhere.\n", own, code(o.Name), o.Status)
		}
	}
}

func (p *page) end(o *contract.Outcome) {
	status := strconv.Itoa(o.Status)
	if o.Fails {
		status += ", error"
	}
	p.row(code(o.Name), status, escape(o.Message), withCertainty(o.Doc, o.Cite))
}

func (p *page) outcomes(heading, about string, outcomes []*contract.Outcome) {
	if len(outcomes) == 0 {
		return
	}
	p.heading(2, heading)
	p.line("%s\n", about)
	p.ends(outcomes)
}

// checks lists the checks in their order, and each outcome that they may end in
// once.
func (p *page) checks(api *contract.API) {
	p.heading(2, "The checks")
	p.line("Requests are checked in this order, until one check refuses:\n")
	var all []*contract.Outcome
	seen := map[*contract.Outcome]bool{}
	for i, check := range api.Checks {
		var names []string
		for _, o := range check.Ends {
			names = append(names, code(o.Name))
			if !seen[o] {
				seen[o] = true
				all = append(all, o)
			}
		}
		text := escape(check.Name)
		if len(names) > 0 {
			text += ": " + strings.Join(names, ", ")
		}
		p.line("%d. %s", i+1, text)
	}
	p.line("")
	if len(all) > 0 {
		p.heading(3, "Outcomes of the checks")
		p.line("A scenario can play these to any client, also to one that would be refused for another reason.\n")
		p.ends(all)
	}
}

func (p *page) switches(api *contract.API) {
	if len(api.Switches) == 0 {
		return
	}
	p.heading(2, "Switches")
	p.line("Set one with `--set %s.NAME=VALUE`, or as a key of a fixture file.\n", api.Name)
	p.table("Name", "Type", "Values", "What it does")
	for i := range api.Switches {
		s := &api.Switches[i]
		p.row(code(s.Name), kind(s), values(s), withCertainty(s.Doc, s.Cite))
	}
	p.line("")
}

func (p *page) triggers(api *contract.API) {
	if len(api.Triggers) == 0 {
		return
	}
	p.heading(2, "Triggers")
	p.line("What happens outside the API's calls: `understudy trigger %s NAME name=value…`.\n", api.Name)
	p.happenings("What happens", api.Triggers)
}

func (p *page) givens(api *contract.API) {
	if len(api.Givens()) == 0 {
		return
	}
	p.heading(2, "Givens")
	p.line("What can have happened before a test begins: the elements of the list `given` of a fixture file, each of one key, such as\n`given: [{%s: {…}}]`, in the order in which it happened. Ages lie before the sandbox begins, by its clock.\n", api.Givens()[0].Name)
	p.happenings("What happened", api.Givens())
}

func (p *page) happenings(what string, all []*contract.Trigger) {
	p.table("Name", "Parameters", what)
	for _, t := range all {
		var params []string
		for i := range t.Params {
			r := &t.Params[i]
			text := code(r.Name)
			if v := values(r); v != "" {
				text += " (" + v + ")"
			}
			params = append(params, text)
		}
		p.row(code(t.Name), strings.Join(params, ", "), escape(t.Doc))
	}
	p.line("")
}

func (p *page) scenarios(api *contract.API, all []library.Listed) {
	p.heading(2, "Scenarios")
	p.line("Every outcome above is a scenario without a file: `understudy scenarios on %s/OPERATION/OUTCOME`.%s\n", api.Name, shipped(api, all))
	first := true
	for _, s := range all {
		if !about(&s, api) {
			continue
		}
		if first {
			p.table("Name", "Operations", "Tags", "Description")
			first = false
		}
		var operations []string
		for _, name := range s.Operations {
			operations = append(operations, operation(name))
		}
		p.row(code(s.Name), strings.Join(operations, ", "), escape(strings.Join(s.Tags, ", ")), escape(s.Description))
	}
	p.line("")
}

// about reports whether a scenario is one of api, or of every API.
func about(s *library.Listed, api *contract.API) bool {
	return s.Rules > 0 && (s.API == api.Name || s.API == scenario.Everywhere)
}

// shipped leads to the table of scenarios where there is one.
func shipped(api *contract.API, all []library.Listed) string {
	for _, s := range all {
		if about(&s, api) {
			return " These ship as files:"
		}
	}
	return ""
}

func operation(name string) string {
	if name == scenario.Any {
		return "all"
	}
	return code(name)
}

func (p *page) fixtures(api *contract.API, all []*fixture.Fixture) {
	p.heading(2, "Fixtures")
	p.line("Begin with one by `--fixture %s=NAME`.\n", api.Name)
	p.table("Name", "What is special about it")
	empty := false
	for _, f := range all {
		if f.API == api.Name {
			empty = empty || f.Name == "empty"
			p.row(code(f.Name), escape(f.Description))
		}
	}
	if !empty {
		p.row(code("empty"), "The empty state. It is always there.")
	}
	p.line("")
}

// withCertainty returns a text, marked where no page says it.
func withCertainty(doc, cite string) string {
	text := escape(doc)
	if cite != "" {
		return text
	}
	return strings.TrimSpace(text + " *inferred*")
}

// source is where something was read: a link, or the name of a thread.
func source(cite string) string {
	if strings.HasPrefix(cite, "http://") || strings.HasPrefix(cite, "https://") {
		return "<" + cite + ">"
	}
	return escape(cite)
}

// anchor is what a heading is linked by.
func anchor(heading string) string {
	return strings.ReplaceAll(strings.ToLower(strings.ReplaceAll(heading, ".", "")), " ", "-")
}

var special = strings.NewReplacer(
	`\`, `\\`, "|", `\|`, "*", `\*`, "_", `\_`, "`", "\\`", "<", "&lt;", ">", "&gt;", "[", `\[`, "]", `\]`,
	"\r\n", "<br>", "\n", "<br>",
)

// escape keeps a text from being read as Markdown, and on one line.
func escape(text string) string { return special.Replace(strings.TrimSpace(text)) }

// code is a text in code, which may stand in a cell. Backticks inside need
// longer ones around.
func code(text string) string {
	text = strings.NewReplacer("|", `\|`, "\r", "", "\n", " ").Replace(text)
	if text == "" {
		return ""
	}
	if !strings.Contains(text, "`") {
		return "`" + text + "`"
	}
	return "`` " + text + " ``"
}
