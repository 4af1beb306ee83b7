#!/usr/bin/env bash
# Shows that the fences of .golangci.yml hold: for each of them one file that breaks it, and for each place where a rule
# lets something pass, one file that may. `make lint-proof` runs it.
#
# The files stand in modules of the same name and the same folders, where every package is empty, rather than in a copy of
# the tree: most of what the fences forbid would be an import cycle there, and then the compiler speaks first. For the same
# reason there are two modules: in one imports point up, in the other down. What makes them like the tree is checked at the
# end: a folder that a rule names and that is not there is told.
#
# LINT may name a golangci-lint that is built already.
set -euo pipefail

top=$(cd "$(dirname "$0")/../.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
ours=github.com/understudy-suite/understudy
: "${LINT:=go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0}"
count=0 failed=0

# begin NAME makes a module that is still empty.
begin() {
	tree=$work/$1
	mkdir -p "$tree"
	cp "$top/.golangci.yml" "$tree/"
	: >"$tree/expected"
	: >"$tree/imported"
}

# put FILE WANT SOURCE… writes a file. WANT is what the linters have to say about it, or "pass".
put() {
	local file=$1 want=$2
	shift 2
	mkdir -p "$tree/$(dirname "$file")"
	{
		[ "${file##*/}" = open.go ] || echo "// Package $(basename "$(dirname "$file")") is made up."
		printf 'package %s\n\n' "$(basename "$(dirname "$file")")"
		printf '%s\n' "$@"
	} >"$tree/$file"
	printf '%s\t%s\n' "$file" "$want" >>"$tree/expected"
	count=$((count + 1))
}

# imports FILE WANT PACKAGE… writes a file that imports packages.
imports() {
	local file=$1 want=$2 lines="" p
	shift 2
	for p in "$@"; do
		lines+="import _ \"$p\""$'\n'
		echo "$p" >>"$tree/imported"
	done
	put "$file" "$want" "${lines%$'\n'}"
}

down() { imports "$1/fence_$2.go" "list '$3'" "$4"; } # PACKAGE NAME RULE IMPORT

# judge runs the linters in the module and holds what they say against what was expected.
judge() {
	local m path p dir name said file want
	# Empty packages for all that is imported; other people's stand beside ours, so that nothing is fetched.
	{
		printf 'module %s\n\ngo 1.26.0\n\n' "$ours"
		for m in github.com/labstack/echo/v4@v4.0.0 github.com/spf13/cobra@v1.0.0 \
			github.com/google/uuid@v1.0.0 github.com/brianvoe/gofakeit/v6@v6.0.0 gopkg.in/yaml.v3@v3.0.0; do
			path=${m%@*}
			printf 'require %s %s\nreplace %s => ./others/%s\n' "$path" "${m#*@}" "$path" "$path"
			mkdir -p "$tree/others/$path"
			printf 'module %s\n\ngo 1.26.0\n' "$path" >"$tree/others/$path/go.mod"
		done
	} >"$tree/go.mod"
	sort -u "$tree/imported" | while read -r p; do
		case $p in
		"$ours"/*) dir=$tree/${p#"$ours"/} ;;
		*) dir=$tree/others/$p ;;
		esac
		name=$(basename "${p%/v[0-9]*}")
		mkdir -p "$dir"
		printf '// Package %s is made up.\npackage %s\n' "${name%.v3}" "${name%.v3}" >"$dir/doc.go"
	done
	mkdir -p "$tree/others/github.com/google/uuid"
	printf '%s\n' '// Package uuid is made up.' 'package uuid' '' '// Nil is made up.' 'const Nil = ""' '' \
		'// NewString is made up.' 'func NewString() string { return Nil }' >"$tree/others/github.com/google/uuid/doc.go"
	# Commands are made of a package main.
	mkdir -p "$tree/cmd/understudy"
	printf '// Command understudy is made up.\npackage main\n\nfunc main() {}\n' >"$tree/cmd/understudy/main.go"
	sed -i 's/^package understudy$/package main/' "$tree"/cmd/understudy/*.go

	(cd "$tree" && GOFLAGS=-mod=mod $LINT run --allow-parallel-runners --show-stats=false --output.text.path=stdout \
		--output.text.print-issued-lines=false --output.text.colors=false ./... >said 2>problems) || true
	if grep -q typecheck "$tree/said" || ! [ -s "$tree/said" ]; then
		cat "$tree/said" "$tree/problems"
		echo "lint-proof: the linters did not run"
		exit 1
	fi

	while IFS=$'\t' read -r file want; do
		said=$(grep -F "$file:" "$tree/said" || true)
		case $want in
		pass) if grep -qE '\((depguard|forbidigo)\)$' <<<"$said"; then
			printf 'FAIL %s: it may, yet: %s\n' "$file" "$said"
			failed=$((failed + 1))
		fi ;;
		*) if ! grep -qF "$want" <<<"$said"; then
			printf 'FAIL %s: want %s, said: %s\n' "$file" "$want" "${said:-nothing}"
			failed=$((failed + 1))
		fi ;;
		esac
	done <"$tree/expected"
}

# Imports point down only.
begin up
down internal/contract wire contract $ours/internal/wire
down internal/contract journal contract $ours/internal/journal
down internal/contract yaml contract gopkg.in/yaml.v3
down internal/clock contract clock $ours/internal/contract
down internal/files contract below $ours/internal/contract
down internal/logpipe files below $ours/internal/files
down internal/probe files below $ours/internal/files
down internal/journal scenario ground $ours/internal/scenario
down internal/wire journal ground $ours/internal/journal
down internal/document wire ground $ours/internal/wire
down internal/callback journal ground $ours/internal/journal
down internal/authority sandbox authority $ours/internal/sandbox
down internal/coverage sandbox coverage $ours/internal/sandbox
down internal/scenario sandbox files $ours/internal/sandbox
down internal/scenario/library player scenarios $ours/internal/scenario/player
down internal/scenario/player journal scenarios $ours/internal/journal
down internal/fixture engine files $ours/internal/engine
down fixtures fixture shipped $ours/internal/fixture
down scenarios scenario shipped $ours/internal/scenario
down emulators/polyv sibling emulators $ours/emulators/youdu
down emulators/polyv engine emulators $ours/internal/engine
down emulators/polyv longer emulators $ours/internal/contractual
down emulators/polyv yaml emulators gopkg.in/yaml.v3
down emulators/polyv echo echo github.com/labstack/echo/v4
down emulators/polyv faker gofakeit github.com/brianvoe/gofakeit/v6
down internal/redact engine redact $ours/internal/engine
down internal/sandbox engine sandbox $ours/internal/engine
down internal/sandbox emulator sandbox $ours/emulators/youdu
down internal/engine emulator engine $ours/emulators/youdu
down internal/engine gateway engine $ours/internal/gateway
down internal/engine echo echo github.com/labstack/echo/v4
down internal/gateway control gateway $ours/internal/control
down internal/gateway emulators internals $ours/emulators
down internal/client control client $ours/internal/control
down internal/client cobra cobra github.com/spf13/cobra
down internal/control emulators internals $ours/emulators
down internal/control server control $ours/internal/server
down internal/control cobra cobra github.com/spf13/cobra
down internal/handbook emulator internals $ours/emulators/polyv
down internal/handbook gateway derived $ours/internal/gateway
down internal/schema gateway derived $ours/internal/gateway
down internal/server emulators internals $ours/emulators
down internal/server fsnotify fsnotify github.com/fsnotify/fsnotify
down internal/server echo echo github.com/labstack/echo/v4
down internal/schema usertests internals $ours/understudytest
down internal/memnet files below $ours/internal/files
down understudytest engine understudytest $ours/internal/engine
down understudytest cobra cobra github.com/spf13/cobra
down cmd/understudy echo echo github.com/labstack/echo/v4
judge

# What lies below may be imported, and tests look further.
begin down
imports internal/contract/open.go pass github.com/google/uuid github.com/brianvoe/gofakeit/v6
imports internal/journal/open.go pass $ours/internal/contract
imports internal/coverage/open.go pass $ours/internal/contract $ours/internal/document $ours/internal/files $ours/internal/journal $ours/internal/output gopkg.in/yaml.v3
imports internal/scenario/open.go pass $ours/internal/contract $ours/internal/document $ours/internal/wire gopkg.in/yaml.v3
imports internal/scenario/library/open.go pass $ours/internal/scenario $ours/internal/document
imports internal/scenario/player/open.go pass $ours/internal/scenario $ours/internal/wire
imports internal/fixture/open.go pass $ours/internal/contract $ours/internal/document gopkg.in/yaml.v3
imports emulators/polyv/open.go pass $ours/internal/contract $ours/internal/wire
imports emulators/open.go pass $ours/emulators/polyv $ours/internal/contract
imports emulators/polyv/conformance_test.go pass $ours/internal/conformance
imports internal/sandbox/open.go pass $ours/internal/clock $ours/internal/coverage $ours/internal/fixture $ours/internal/scenario $ours/internal/scenario/player github.com/brianvoe/gofakeit/v6
imports internal/engine/open.go pass $ours/internal/sandbox $ours/internal/wire
imports internal/engine/reach_test.go pass $ours/emulators/youdu
imports internal/gateway/open.go pass $ours/internal/engine github.com/labstack/echo/v4
imports internal/control/open.go pass $ours/internal/sandbox github.com/labstack/echo/v4
imports internal/client/open.go pass $ours/internal/output $ours/internal/contract
imports internal/watch/open.go pass github.com/fsnotify/fsnotify
imports cmd/understudy/open.go pass $ours/emulators $ours/internal/server github.com/spf13/cobra
imports bench/baseline/open.go pass github.com/labstack/echo/v4
imports bench/empty/open.go pass github.com/spf13/cobra
imports understudytest/open.go pass $ours/emulators $ours/internal/client $ours/internal/server
down internal/control gateway control $ours/internal/gateway

# Time, chance and output enter at the command line.
time=$'import "time"\n\nvar now ='
put emulators/polyv/now.go time.Now "$time time.Now()" "var _ = now"
put internal/gateway/since.go clock.Since $'import clock "time"\n\nvar _ = clock.Since(clock.Time{})' # under another name
put internal/engine/inject.go time.Now $'import "time"\n\nvar _ func() time.Time = time.Now'
put internal/sandbox/chance.go rand.IntN $'import "math/rand/v2"\n\nvar _ = rand.IntN(6)'
put internal/wire/chance.go rand.Intn $'import "math/rand"\n\nvar _ = rand.Intn(6)'
put internal/callback/id.go uuid.NewString $'import "github.com/google/uuid"\n\nvar _ = uuid.NewString()'
put internal/conformance/print.go fmt.Println $'import "fmt"\n\nfunc tell() { fmt.Println() }\n\nvar _ = tell'
put cmd/understudy/now.go pass $'import (\n\t"fmt"\n\t"time"\n)\n\nfunc tell() { fmt.Println(time.Now()) }\n\nvar _ = tell'
put bench/now.go pass $'import (\n\t"fmt"\n\t"time"\n)\n\nfunc tell() { fmt.Println(time.Now()) }\n\nvar _ = tell'
put internal/sandbox/dice.go pass $'import "math/rand/v2"\n\nvar _ = rand.NewPCG(1, 2)'
put internal/clock/time_test.go pass $'import "time"\n\nvar _ = time.Now()'

# The other habits.
put internal/openapi/init.go gochecknoinits 'func init() {}'
put internal/openapi/errors.go errorlint $'import "io"\n\nfunc over(err error) bool { return err == io.EOF }\n\nvar _ = over'
put internal/openapi/unchecked.go errcheck $'import "os"\n\nfunc leave() { os.Remove("x") }\n\nvar _ = leave'
put internal/openapi/body.go bodyclose $'import "net/http"\n\nfunc ask() (int, error) {\n\tr, err := http.Get("x")\n\tif err != nil {\n\t\treturn 0, err\n\t}\n\treturn r.StatusCode, nil\n}\n\nvar _ = ask'
put internal/coverage/spelling.go misspell $'// What was recieved.\nvar _ = 1'
put internal/coverage/convert.go unconvert $'func whole(n int) int { return int(n) }\n\nvar _ = whole'
put internal/coverage/unused.go unused 'func nobody() {}'
put internal/coverage/exported.go revive 'type Undocumented struct{}'
put internal/coverage/ineffective.go ineffassign $'func count() int {\n\tn := 1\n\tn = 2\n\treturn n\n}\n\nvar _ = count'
put internal/coverage/self.go staticcheck $'import "strings"\n\nfunc same(s string) bool { return strings.ToLower(s) == strings.ToLower(s) }\n\nvar _ = same'
put internal/coverage/vet.go govet $'import "fmt"\n\nfunc wrong() error { return fmt.Errorf("%d", "x") }\n\nvar _ = wrong'
put internal/coverage/order.go gci $'import (\n\t"github.com/google/uuid"\n\t"strings"\n)\n\nvar (\n\t_ = strings.ToLower\n\t_ = uuid.Nil\n)'
put internal/coverage/format.go gofumpt $'func loose() {\n\n}\n\nvar _ = loose'

judge

# A rule for a folder that was renamed holds nothing.
while read -r dir; do
	if ! [ -d "$top/$dir" ]; then
		printf 'note: .golangci.yml has a rule for %s, which is not there (yet?)\n' "$dir"
	fi
done < <(grep -oE '\$\{config-path\}/[a-z/]+' "$top/.golangci.yml" | sed 's|.*path}/||; s|/*$||' | sort -u)

if [ "$failed" -gt 0 ]; then
	echo "lint-proof: $failed of the $count files are not told rightly"
	exit 1
fi
echo "lint-proof: $count files told rightly"
