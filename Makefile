# What CI runs is what you run: make check.

LINT     := go run github.com/golangci/golangci-lint/v2/cmd/golangci-lint@v2.15.0
VERSION  ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
COMMIT   ?= $(shell git rev-parse HEAD 2>/dev/null || echo unknown)
IMAGE    ?= ghcr.io/understudy-suite/understudy
FUZZTIME ?= 60s
SOAK     ?= 60s
SEED     ?= 1
COVER    ?= 80
LARGEST  ?= 20971520

# Modules of their own beside the root: what they need is not what understudy needs.
MODULES  := $(patsubst %/go.mod,%,$(shell find . -mindepth 2 -name go.mod -not -path './.git/*' -not -path '*/testdata/*' | sort))

.DEFAULT_GOAL := help
.PHONY: help check fmt lint lint-proof vet test bench bench-load bench-short cover soak fuzz golden docs docs-check run build reproducible image container-check

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

check: lint lint-proof vet test docs-check ## everything that must hold before a commit

fmt: ## format the code
	$(LINT) fmt
	@set -e; for m in $(MODULES); do echo "fmt $$m"; (cd $$m && $(LINT) fmt --config $(CURDIR)/.golangci.yml); done

lint: ## formatting, style, and who may import whom
	$(LINT) run --allow-parallel-runners
	@set -e; for m in $(MODULES); do echo "lint $$m"; (cd $$m && $(LINT) run --allow-parallel-runners --config $(CURDIR)/.golangci.yml); done

lint-proof: ## show that the linters' fences stop what they are for
	@LINT="$(LINT)" test/lint/run.sh

vet: ## what the compiler's own checks find
	go vet ./...
	@set -e; for m in $(MODULES); do echo "vet $$m"; (cd $$m && go vet ./...); done

test: ## all tests, with the race detector
	go test -race ./...
	@set -e; for m in $(MODULES); do echo "test $$m"; (cd $$m && go test -race ./...); done

bench: ## benchmarks
	go test -run '^$$' -bench . -benchmem ./...

bench-load: bin/bench ## compare with handlers written by hand (Linux, half an hour); writes docs/performance.md
	bin/bench -o docs/performance.md all

bench-short: bin/bench ## the same in a minute; fails on gross loss, growth and leaks
	bin/bench short

.PHONY: bin/bench
bin/bench:
	@go build -C bench -buildvcs=false -o $(CURDIR)/bin/bench .

cover: ## test coverage of all packages together; fails under COVER=80 %
	go test -coverpkg=./... -coverprofile=cover.out ./...
	@go tool cover -func=cover.out | awk -v least=$(COVER) \
		'/^total:/ { sub("%", "", $$3); total = $$3 } \
		END { printf "coverage: %s %% of statements, at least %s %% wanted\n", total, least; exit total + 0 < least + 0 }'

soak: ## 1,000 clients against the whole server for SOAK=60s, with the race detector
	go test -race -v -count=1 -timeout 0 ./test/soak -soak $(SOAK) -seed $(SEED)

# go test fuzzes one target at a time.
fuzz: ## every fuzz target for FUZZTIME=60s
	@set -e; grep -rlE '^func Fuzz[A-Z]' --include='*_test.go' . | sort | while read -r file; do \
		grep -oE '^func Fuzz[A-Za-z0-9_]+' $$file | while read -r _ target; do \
			echo "fuzz $$target in $$(dirname $$file)"; \
			(cd $$(dirname $$file) && go test -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) -fuzzminimizetime 10x .) || exit 1; \
		done || exit 1; \
	done

golden: ## rewrite the golden answers; read the diff before you commit it
	go test ./emulators/... -update

docs: ## write the derived documents
	go run ./cmd/understudy handbook -o docs/handbook

docs-check: ## compare the derived documents with what the tables say
	@d=$$(mktemp -d) && trap 'rm -rf "$$d"' EXIT && go run ./cmd/understudy handbook -o "$$d" && \
		diff -ru docs/handbook "$$d" || { echo "docs/handbook is not what the tables say: run make docs"; exit 1; }

run: ## serve all APIs
	go run ./cmd/understudy serve

build: ## a static binary in bin/
	CGO_ENABLED=0 go build -trimpath -buildvcs=false -ldflags '-s -w -X main.version=$(VERSION) -X main.commit=$(COMMIT)' -o bin/understudy ./cmd/understudy

# The second build shares nothing with the first: neither its folder nor what was compiled.
reproducible: ## build twice, and compare the bytes; fails over LARGEST=20971520 of them
	@set -e; d=$$(mktemp -d); trap 'rm -rf "$$d"' EXIT; export VERSION="$(VERSION)" COMMIT="$(COMMIT)"; \
	for copy in one another/two; do \
		mkdir -p "$$d/$$copy"; tar -c --exclude=./.git --exclude=./bin . | tar -x -C "$$d/$$copy"; \
	done; \
	$(MAKE) -C "$$d/one" build; \
	GOCACHE="$$d/cache" $(MAKE) -C "$$d/another/two" build; \
	cmp "$$d/one/bin/understudy" "$$d/another/two/bin/understudy" && sha256sum <"$$d/one/bin/understudy"; \
	size=$$(wc -c <"$$d/one/bin/understudy"); echo "the binary has $$size bytes, at most $(LARGEST) wanted"; test "$$size" -le $(LARGEST)

image: ## the container image, from Dockerfile
	docker build --build-arg VERSION=$(VERSION) --build-arg COMMIT=$(COMMIT) -t $(IMAGE):latest .

container-check: ## build the image, run it and the compose file, and look at both from outside (needs Docker)
	test/container/check.sh
