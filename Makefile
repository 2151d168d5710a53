# Millrace. `make` or `make help` lists what can be made.

GO       ?= go
RUN_DIR  ?= .run
FUZZTIME ?= 10s
PKG      ?= ./...

# Where the services listen. Give others to have several side by side.
NODES      ?= 1
KAFKA_PORT ?= 19092
REDIS_PORT ?= 26379

TOOL     := $(GO) tool -modfile=tools/go.mod
SERVICES := $(GO) run ./internal/e2e/services
START    := $(SERVICES) start --dir $(RUN_DIR) --nodes $(NODES) --kafka-port $(KAFKA_PORT) --redis-port $(REDIS_PORT)
STOP     := $(SERVICES) stop --dir $(RUN_DIR)

# $(call with,COMMAND) runs a command with the services and stops them again,
# whatever comes of it.
with = trap '$(STOP)' EXIT; env="$$($(START))"; eval "$$env"; $(1)

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

.PHONY: help
help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / {printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: all
all: vet lint test race ## what a change must pass without services

.PHONY: build
build: ## build the binaries into bin
	$(GO) build -o bin/ ./cmd/...

.PHONY: test
test: ## run the tests that need nothing but Go
	$(GO) test $(PKG)

.PHONY: race
race: ## the same, looking for data races
	$(GO) test -race $(PKG)

.PHONY: vet
vet: ## go vet
	$(GO) vet $(PKG)

.PHONY: lint
lint: ## golangci-lint, by .golangci.yml
	$(TOOL) golangci-lint run $(PKG)

.PHONY: fmt
fmt: ## format the source
	$(TOOL) golangci-lint fmt

.PHONY: vuln
vuln: ## look for known vulnerabilities (asks the vulnerability database)
	$(TOOL) govulncheck $(PKG)

.PHONY: generate
generate: ## write generated files anew
	$(GO) generate $(PKG)

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME (10s)
	@GO='$(GO)' .ci/fuzz $(FUZZTIME) $(PKG)

.PHONY: compose-check
compose-check: ## check docker-compose.yml and Dockerfile, without a container engine
	cd tools/composecheck && $(GO) tool -modfile=../go.mod golangci-lint run --config ../../.golangci.yml
	$(GO) test -C tools/composecheck -count=1 .

.PHONY: services
services: ## start Kafka and Redis; prints what to eval
	@$(START)

.PHONY: services-stop
services-stop: ## stop them
	@$(STOP)

.PHONY: e2e
e2e: ## run the tests on real Kafka and Redis, and stop both
	@$(call with,$(GO) test -count=1 -p 1 -timeout 45m ./internal/e2e/... ./streams/projection ./streams/compaction ./streams/snapshot ./streams/kafka ./streams/streamstest)

.PHONY: bench
bench: START += --long-lived
bench: ## measure on real Kafka and Redis: docs/performance.md
	@$(call with,$(GO) run ./internal/e2e/bench)

.PHONY: microbench
microbench: ## benchmarks of the parts
	$(GO) test -run '^$$' -bench . -benchmem $(PKG)

.PHONY: clean
clean: services-stop ## stop the services and remove what was built and installed
	rm -rf bin $(RUN_DIR)
