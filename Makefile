SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DELETE_ON_ERROR:
.DEFAULT_GOAL := help
MAKEFLAGS += --no-builtin-rules --no-print-directory

BIN := .venv/bin
ARGS ?=
export PYTHONSAFEPATH := 1
SERVICES := PYTHONPATH=tools $(BIN)/python -m services

# ---- the two commands of the README

.PHONY: demo
demo: .venv-demo/.stamp ## Everything at once on Python wheels alone; ARGS="--seconds 60 --port 8080 ..."
	@.venv-demo/bin/subsidywatch demo $(ARGS)

.PHONY: test
test: machine static ## Everything that proves it: installs Kafka, Redis, Prometheus, Chromium, then the whole suite
	$(BIN)/pytest -m "not (bench or chaos)" --cov=models --cov=rules --cov-branch --cov-fail-under=100 --cov-report=term:skip-covered $(ARGS)

# ---- while developing

.PHONY: setup
setup: .venv/.stamp ## Locked environment in .venv, the project in it editable

.PHONY: check
check: setup static ## Format, lint, types, import contracts, fast tests with the coverage gate
	$(BIN)/pytest -m "not (integration or browser or e2e or bench or chaos)" --cov=models --cov=rules --cov-branch \
	  --cov-fail-under=100 --cov-report=term:skip-covered $(ARGS)

.PHONY: static
static: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

.PHONY: fast
fast: setup ## Fast tests alone, no services needed; ARGS="-k words"
	$(BIN)/pytest -m "not (integration or browser or e2e or bench or chaos)" $(ARGS)

.PHONY: format
format: setup ## Format and sort imports
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# ---- real services

.PHONY: machine
machine: packages setup jars
	@$(SERVICES) check

.PHONY: packages
packages:
	@tools/system_packages.sh

.PHONY: jars
jars: .run/kafka/lib.stamp ## Kafka's jars from Maven Central into .run/kafka/lib

.PHONY: services
services: machine ## Start real Kafka, Redis and Prometheus on loopback under .run/; addresses in .run/services.json
	@$(SERVICES) start

.PHONY: services-stop
services-stop: setup ## Stop them, by pid
	@$(SERVICES) stop

.PHONY: bench
bench: machine .run/bench/.stamp ## Figures against ten other engines, into .run/bench.json; ARGS="--runs 5 --jobs J1,J2,J3"
	@PYTHONPATH=tools:tests/bench $(BIN)/python tests/bench/run.py $(ARGS)

.PHONY: fuzz
fuzz: setup .run/fuzz/.stamp ## Any bytes through the ingest line for ten minutes; ARGS=60 for a minute
	PYTHONPATH=tools:.run/fuzz/lib $(BIN)/python tests/fuzz/fuzz_decoder.py .run/fuzz $(or $(ARGS),600)

.PHONY: chaos
chaos: machine ## Fault matrix on real services, into docs/reliability.md and .run/chaos.json; ARGS="--rows 1,5,12"
	@tools/system_packages.sh faketime
	@PYTHONPATH=tools $(BIN)/python -m chaos $(ARGS)
	$(if $(ARGS),,@$(BIN)/pytest -m chaos)

# ---- generated files

.PHONY: contracts
contracts: setup ## Regenerate schemas, dashboards, .env.example and the tables of the README
	$(BIN)/python -m streams.contracts
	PYTHONPATH=deploy/grafana $(BIN)/python -m generate
	PYTHONPATH=tools $(BIN)/python -m write_docs

UV := .run/uv/bin/uv
COMPILE = $(UV) pip compile -q --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
  --python-version 3.11 --universal --no-config

.PHONY: lock
lock: ## Rewrite requirements/*.txt from pyproject.toml, with hashes and without an index address
	@test -x $(UV) || { python3 -m venv .run/uv && .run/uv/bin/pip install -q uv; }
	$(COMPILE) pyproject.toml -o requirements/run.txt
	$(COMPILE) pyproject.toml --extra demo -c requirements/run.txt -o requirements/demo.txt
	$(COMPILE) pyproject.toml --extra demo --extra bench --group dev -c requirements/demo.txt -o requirements/dev.txt
	$(COMPILE) --group peers -o requirements/peers.txt
	$(COMPILE) --group build -c requirements/dev.txt -o requirements/build.txt
	$(COMPILE) --group fuzz -o requirements/fuzz.txt

# ---- stamps: nothing is done twice

.venv/.stamp: requirements/dev.txt pyproject.toml tools/make_venv.sh
	@tools/make_venv.sh .venv requirements/dev.txt
	@touch $@

.venv-demo/.stamp: requirements/demo.txt requirements/build.txt pyproject.toml tools/make_venv.sh
	@tools/make_venv.sh .venv-demo requirements/demo.txt requirements/build.txt
	@touch $@

.run/kafka/lib.stamp: tools/services/kafka/pom.xml | packages
	@tools/kafka_jars.sh .run/kafka/lib
	@touch $@

.run/bench/.stamp: tests/bench/peers/fetch.sh requirements/peers.txt $(wildcard tests/bench/peers/java/*) | machine
	@tests/bench/peers/fetch.sh .run
	@touch $@

.run/fuzz/.stamp: requirements/fuzz.txt | setup
	$(BIN)/pip install -q --require-hashes --target .run/fuzz/lib --upgrade -r requirements/fuzz.txt
	@touch $@

.PHONY: clean
clean: ## Remove environments, caches and .run/ (stop the services first)
	rm -rf .venv .venv-demo .run .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage* dist

.PHONY: help
help: ## This list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
