package document

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// The bounds of a file. Aliases are bounded by what they stand for, so that a
// small file cannot become a large one.
const (
	MaxSize     = 1 << 20 // bytes of a file
	MaxDepth    = 64      // levels of nesting
	MaxExpanded = 10_000  // nodes that aliases may stand for
)

// Parse reads text as one YAML document whose top level is a mapping, and
// returns that mapping. It reports what it refuses as faults with their places:
// a file that is too large, empty or no UTF-8, broken YAML, a second document,
// a key that stands twice, a key that is no plain word, merge keys, tags, and
// aliases that stand for themselves or for too much.
//
// The file is only named in the faults; nothing is opened.
func Parse(file string, text []byte) (*yaml.Node, error) {
	return parse(file, text, false)
}

// ParseOneOrList is Parse for a document whose top level may also be a list.
func ParseOneOrList(file string, text []byte) (*yaml.Node, error) {
	return parse(file, text, true)
}

func parse(file string, text []byte, list bool) (*yaml.Node, error) {
	faults := NewFaults(file)
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if !faults.checkText(text) {
		return nil, faults.Err()
	}
	root := faults.decode(text)
	if root == nil {
		return nil, faults.Err()
	}
	if root.Kind != yaml.MappingNode && (!list || root.Kind != yaml.SequenceNode) {
		faults.Addf(root, "the file holds %s; a mapping of keys to values was expected", Describe(root))
		return nil, faults.Err()
	}
	w := resolver{faults: faults, open: map[*yaml.Node]bool{}}
	w.resolve(root, 1)
	if err := faults.Err(); err != nil {
		return nil, err
	}
	return root, nil
}

// checkText reports what is wrong with the text before YAML is parsed.
func (f *Faults) checkText(text []byte) bool {
	if len(text) > MaxSize {
		f.addTooLarge(int64(len(text)))
		return false
	}
	line, column := 1, 1
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			f.addf(line, column, "the byte %#02x is not UTF-8; save the file as UTF-8", text[i])
			return false
		case !printable(r):
			f.addf(line, column, "the character %U may not stand in YAML; write it as an escape in double quotes", r)
			return false
		case r == '\n':
			line, column = line+1, 0
		}
		i, column = i+n, column+1
	}
	return true
}

// printable reports whether YAML allows r in a file.
func printable(r rune) bool {
	switch {
	case r == '\t', r == '\n', r == '\r', r == 0x85:
		return true
	case r < ' ', r >= 0x7f && r < 0xa0, r == 0xfeff, r == 0xfffe, r == 0xffff:
		return false
	}
	return true
}

// decode reads the one document of a file and returns what it holds.
func (f *Faults) decode(text []byte) *yaml.Node {
	dec := yaml.NewDecoder(bytes.NewReader(text))
	var document, second yaml.Node
	switch err := decode(dec, &document); {
	case errors.Is(err, io.EOF):
		f.Addf(nil, "the file is empty; a mapping of keys to values was expected")
		return nil
	case err != nil:
		f.addSyntaxError(text, err)
		return nil
	}
	switch err := decode(dec, &second); {
	case err == nil:
		f.Addf(&second, "a second document begins here; one was expected; take the --- away or make two files of it")
		return nil
	case !errors.Is(err, io.EOF):
		f.addSyntaxError(text, err)
		return nil
	}
	if len(document.Content) == 0 {
		f.Addf(nil, "the file is empty; a mapping of keys to values was expected")
		return nil
	}
	return document.Content[0]
}

// decode reads the next document. yaml.v3 panics on some broken files, which
// is a fault of the file like any other to its author.
func decode(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(into)
}

var (
	located       = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^yaml: (?:line (\d+): )?((?s:.*))$`) })
	unknownAnchor = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`^unknown anchor '(.*)' referenced$`) })
)

// fromParser begins the faults that yaml.v3 finds after scanning. Their lines
// it counts from 0, those of its scanner from 1.
var fromParser = []string{
	"did not find expected key", "did not find expected '-'", "did not find expected ','",
	"did not find expected node", "did not find expected <", "found undefined tag handle",
	"found duplicate %", "found incompatible",
}

// addSyntaxError reports what yaml.v3 found: it names the line at most, and that in
// words of its own.
func (f *Faults) addSyntaxError(text []byte, err error) {
	m := located().FindStringSubmatch(err.Error())
	if m == nil {
		f.Addf(nil, "this is not YAML: %v", err)
		return
	}
	what := m[2]
	if a := unknownAnchor().FindStringSubmatch(what); a != nil {
		line, column := find(text, "*"+a[1])
		f.addf(line, column, "the alias *%s stands for nothing; an anchor &%[1]s before it was expected", a[1])
		return
	}
	line, _ := strconv.Atoi(m[1])
	for _, start := range fromParser {
		if strings.HasPrefix(what, start) {
			line++
			break
		}
	}
	line = max(line, 1)
	f.addf(line, 1, "this is not YAML: %s%s", what, advice(what, lineOf(text, line)))
}

// advice says what to do about a fault of the syntax.
func advice(what, line string) string {
	indent := line[:len(line)-len(strings.TrimLeft(line, " \t"))]
	switch {
	case strings.Contains(indent, "\t"):
		return "; indent with spaces, not with tabs"
	case strings.HasPrefix(what, "mapping values are not allowed"):
		return "; quote a value that holds a colon and a space, and look at the indentation"
	case strings.HasPrefix(what, "found character that cannot start"):
		return "; quote a value that begins with @, ` or %"
	case strings.HasPrefix(what, "did not find expected"):
		return "; look at the indentation, quotes and brackets from here on"
	case strings.HasPrefix(what, "could not find expected ':'"):
		return "; a key is followed by a colon and a space"
	}
	return ""
}

// lineOf returns a line of text, counted from 1.
func lineOf(text []byte, line int) string {
	for range line - 1 {
		_, rest, ok := bytes.Cut(text, []byte("\n"))
		if !ok {
			return ""
		}
		text = rest
	}
	first, _, _ := bytes.Cut(text, []byte("\n"))
	return string(first)
}

// find returns where a word first occurs in text.
func find(text []byte, word string) (line, column int) {
	at := bytes.Index(text, []byte(word))
	if at < 0 {
		return 1, 1
	}
	before := text[:at]
	return 1 + bytes.Count(before, []byte("\n")), 1 + utf8.RuneCount(before[bytes.LastIndexByte(before, '\n')+1:])
}

// A resolver checks every node of a file once, and counts what aliases expand to.
type resolver struct {
	faults   *Faults
	open     map[*yaml.Node]bool // aliased nodes around the current node
	outer    *yaml.Node          // the written alias around the current node
	expanded int                 // nodes reached through aliases
	bytes    int                 // and their text
	over     bool                // a limit was exceeded and reported
}

func (w *resolver) resolve(n *yaml.Node, depth int) {
	if w.over || w.faults.Full() {
		return
	}
	if depth > MaxDepth {
		w.faults.Addf(n, "values are nested deeper than %d levels; nothing that is read here is", MaxDepth)
		w.over = true
		return
	}
	if n.Kind == yaml.AliasNode {
		w.alias(n, depth)
		return
	}
	if len(w.open) > 0 && !w.countExpansion(n) {
		return
	}
	if len(w.open) == 0 {
		w.checkNode(n)
	}
	for _, child := range n.Content {
		w.resolve(child, depth+1)
	}
}

// alias resolves the node of an alias. An alias of a node around it gets here
// again before it is done.
func (w *resolver) alias(n *yaml.Node, depth int) {
	if w.open[n.Alias] {
		w.faults.Addf(n, "the alias *%s stands for what it is a part of; write out what is meant", n.Value)
		w.over = true
		return
	}
	if len(w.open) == 0 {
		w.outer = n
	}
	w.open[n.Alias] = true
	w.resolve(n.Alias, depth)
	delete(w.open, n.Alias)
}

// countExpansion counts a node that an alias expands to.
func (w *resolver) countExpansion(n *yaml.Node) bool {
	w.expanded++
	w.bytes += len(n.Value)
	if w.expanded > MaxExpanded || w.bytes > MaxSize {
		w.faults.Addf(w.outer, "with the alias *%s aliases stand for more than %d values or %d bytes; use fewer", w.outer.Value, MaxExpanded, MaxSize)
		w.over = true
	}
	return !w.over
}

// checkNode checks one written node for what this package does not read.
func (w *resolver) checkNode(n *yaml.Node) {
	if n.Style&yaml.TaggedStyle != 0 {
		w.faults.Addf(n, "the tag %s was found; a value without a tag was expected; quote what shall be text", Quote(n.Tag))
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	first := map[string]*yaml.Node{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key := Resolve(n.Content[i])
		switch {
		case key.Kind != yaml.ScalarNode:
			w.faults.Addf(n.Content[i], "a key is %s; a plain word was expected", Describe(key))
		case key.Tag == "!!merge":
			w.faults.Addf(n.Content[i], "the merge key << is not read here; write the keys out, or use an alias for the whole value")
		case first[key.Value] != nil:
			w.faults.Addf(n.Content[i], "the key %s stands twice, first in line %d; leave one", Quote(key.Value), first[key.Value].Line)
		default:
			first[key.Value] = n.Content[i]
		}
	}
}
