# `make` alone lists what it can do. Everything lives in .venv; nothing is installed into the system's Python.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup setup-dev demo demo-reset test lint format types contracts pytest bench pages screenshots sbom audit clean

VENV := .venv
PYTHON := $(VENV)/bin/python
INSTALL := $(PYTHON) -m pip install --disable-pip-version-check --constraint constraints.txt --editable
RUNTIME := $(VENV)/.installed
DEVELOPMENT := $(VENV)/.installed-dev
DECLARED := pyproject.toml constraints.txt

# Two at once fit the smallest machine we promise to run on; a test file stays whole on one of them.
WORKERS ?= 2
ARGS ?=

help: ## List these commands.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-13s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(RUNTIME) ## Make .venv and install Athanor in it. Needs Python 3.11 or newer.

setup-dev: $(DEVELOPMENT) ## The same, with what tests and checks need.

demo: setup ## Start the platform with its living reference plant. Ctrl-C stops it; a second call goes on.
	@exec $(VENV)/bin/athanor demo $(ARGS)

demo-reset: setup ## Forget the demo's data and start afresh.
	@exec $(VENV)/bin/athanor demo --reset $(ARGS)

test: setup-dev ## Install what is missing, then run every check and every test.
	@scripts/install-test-tools
	@$(MAKE) --no-print-directory lint types contracts pytest

lint: setup-dev ## Check style and format.
	$(VENV)/bin/ruff check
	$(VENV)/bin/ruff format --check

format: setup-dev ## Write the format, mend what can be mended.
	$(VENV)/bin/ruff check --fix
	$(VENV)/bin/ruff format

types: setup-dev ## Check types; strictly in kernel/ and domain/.
	$(VENV)/bin/mypy

contracts: setup-dev ## Check who imports whom.
	$(VENV)/bin/lint-imports

pytest: setup-dev ## Run the tests alone. ARGS="-k historian" picks some.
	$(VENV)/bin/pytest --numprocesses $(WORKERS) --dist loadfile $(ARGS)

bench: setup-dev ## Measure what docs/benchmarks.md claims. ARGS="path --quick" picks one.
	$(VENV)/bin/athanor bench $(ARGS)

pages: setup-dev ## Write the page of manual that comes out of the code: docs/errors.md.
	$(PYTHON) scripts/list_errors.py

screenshots: setup-dev ## Take the manual's pictures. ARGS="--url … --login … --password …" names a running server.
	$(PYTHON) scripts/screenshots.py $(ARGS)

sbom: setup-dev ## Write build/athanor.cdx.json: every package of this environment, as CycloneDX.
	$(PYTHON) scripts/sbom.py build/athanor.cdx.json

audit: setup-dev ## Look the pinned versions up among known weaknesses. Needs a network, so no part of `make test`.
	@test -x build/pip-audit/bin/pip-audit || { $(PYTHON) -m venv build/pip-audit && build/pip-audit/bin/pip install --quiet pip-audit; }
	build/pip-audit/bin/pip-audit --requirement constraints.txt --no-deps --disable-pip

clean: ## Remove .venv and what tools left; a plant's data stays.
	rm -rf $(VENV) build dist src/*.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis test-results
	find src tests scripts examples -name __pycache__ -type d -prune -exec rm -rf {} +

$(PYTHON):
	scripts/create-venv $(VENV)

$(RUNTIME): $(DECLARED) | $(PYTHON)
	$(INSTALL) .
	@touch $@

$(DEVELOPMENT): $(DECLARED) | $(PYTHON)
	$(INSTALL) '.[dev]'
	@touch $(RUNTIME) $@
