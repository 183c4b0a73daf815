PYTHON ?= python3
BIN := .venv/bin
SERVICE ?=

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

##  Run

.PHONY: demo
demo: prepare-stack ## Start everything with the sample day and a simulated live feed; prints address and login
	@$(BIN)/python -m deploy.local demo

.PHONY: up
up: prepare-stack ## Start everything, without sample data
	@$(BIN)/python -m deploy.local up

.PHONY: down
down: installed ## Stop everything; the data stay
	@$(BIN)/python -m deploy.local down

.PHONY: status
status: installed ## Show what runs, in how much memory, and whether it is ready
	@$(BIN)/python -m deploy.local status

.PHONY: logs
logs: installed ## Follow all logs, or one: make logs SERVICE=gateway
	@$(BIN)/python -m deploy.local logs $(SERVICE)

##  Check

.PHONY: test
test: prepare-test ## Run every test, the browser's too, on its own ports and data
	npm --prefix frontend test
	$(BIN)/pytest -m "not fault"

.PHONY: faults
faults: prepare-test ## Break every part of a running backend in turn and compare what is stored with the oracle
	$(BIN)/pytest -m fault tests/faults

.PHONY: lint
lint: prepare-check ## Check style, imports and formatting
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	npm --prefix frontend run lint

.PHONY: types
types: prepare-check ## Check types
	$(BIN)/mypy
	npm --prefix frontend run typecheck

.PHONY: schemas
schemas: prepare-check ## Export the contract to schemas/ and to the dashboard
	$(BIN)/python -m schemas.export
	npm --prefix frontend run api

.PHONY: bench
bench: prepare-test ## Measure rates and latencies (25 min on a machine with nothing else to do); writes docs/benchmarks.md
	$(BIN)/python -m tests.benchmarks

.PHONY: prepare-stack prepare-check prepare-test
prepare-stack prepare-check prepare-test: prepare-%:
	@command -v $(PYTHON) >/dev/null || { echo "dwellstream: $(PYTHON) is not installed: install Python 3.11 or newer"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "dwellstream: Python 3.11 or newer is needed, this is $$($(PYTHON) --version): set PYTHON=python3.11"; exit 1; }
	@$(PYTHON) -m deploy.local.bootstrap $*

.PHONY: installed
installed:
	@test -x $(BIN)/python || { echo 'dwellstream: nothing is installed here yet, so nothing runs: start with `make demo`'; exit 1; }
