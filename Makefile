# SPDX-License-Identifier: Apache-2.0
# The project's commands. The two that matter: `make demo` and `make test`.
SHELL := /bin/bash
.DEFAULT_GOAL := help
.SUFFIXES:
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# `make prove HOSTS=debian13 PROOF=--proof-packs=cis` proves less; INVENTORY names other hosts than the demo's.
INVENTORY ?= build/lab/inventory.json
HOSTS ?= lab
PYTEST := python -m pytest
VENV := .venv/.requirements.sha256

.PHONY: help
help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

##@ The two commands and what belongs to them
.PHONY: demo prove prove-benchmarks demo-down test
demo: ## two real hosts, the packs on them, every rule proven by its event
	@tools/ring demo

prove: $(VENV) ## fire every rule on the running demo hosts again and show the events
	@$(PYTEST) tests/events --hosts=ansible://$(HOSTS) --ansible-inventory=$(INVENTORY) $(PROOF)

prove-benchmarks: $(VENV) ## prove the CIS rules of other distributions' benchmarks on the running hosts → docs/proof
	@python -m tests.events.benchmarks --inventory $(INVENTORY)

demo-down: ## remove the demo hosts
	@tools/lab.sh down

test: ## all tests: what .ci/run runs
	@.ci/run

##@ Parts of `make test`
.PHONY: lint unit check-c terraform-test collection molecule wheel fuzz bench bench-integrity bench-fleet cost docs
lint: $(VENV) ## ruff, mypy, yamllint, ansible-lint, shellcheck, auditpack lint
	@tools/lint.sh

unit: build/made/native ## unit tests; the collector's run over both implementations
	@$(PYTEST) tests/unit collector/tests integrity/tests --junitxml=build/junit/unit.xml

check-c: $(VENV) ## the C under ASan and UBSan, warnings as errors, the saved fuzzing corpus, a minute of fuzzing
	@$(MAKE) -C collector check-c
	@$(MAKE) -C collector fuzz TIME=60

terraform-test: $(VENV) ## terraform fmt, validate and test
	@TERRAFORM="$$(tools/terraform --which)" python terraform/test.py

collection: $(VENV) ## build the collection, install it elsewhere, use it there
	@$(PYTEST) tests/collection --junitxml=build/junit/collection.xml

molecule: ## Molecule on fresh hosts: default, then faults
	@tools/ring molecule

fuzz: $(VENV) ## fuzz each layer of the C; TIME=seconds for all together
	@$(MAKE) -C collector fuzz TIME=$(or $(TIME),60)

bench: build/made/native ## the collector beside LAUREL: CPU, wall clock, memory (docs/collector/performance.md)
	@python collector/bench/bench.py --picture docs/images/bench.svg $(BENCH)

bench-fleet: $(VENV) ## compose and render for 1000 hosts; lint of all packs
	@python -m tests.bench.fleet $(BENCH)

cost: $(VENV) ## what packs and profiles cost on a running lab host (docs/packs/cost.md)
	@python -m tests.bench.cost -i $(INVENTORY) --host debian13 $(COST)

docs: $(VENV) ## write the generated pages: packs, foreign sets
	@auditpack docs
	@python tools/foreign_rules.py

bench-integrity: ## file integrity beside AIDE: scans and memory (BENCH="--tree /usr", BENCH=--million)
	@python integrity/bench/bench.py $(BENCH)

wheel: build/made/wheel ## the collector as wheels: with its C inside, and pure Python

COLLECTOR := $(shell git ls-files collector/src collector/csrc) $(addprefix collector/,Makefile pyproject.toml setup.py)
build/made/wheel build/made/native: build/made/%: $(VENV) $(COLLECTOR)
	@$(MAKE) -C collector $*
	@mkdir -p $(@D) && touch $@

$(VENV): requirements.txt tools/requirements-terraform.txt pyproject.toml
	@tools/bootstrap.sh --test
	@touch $@
