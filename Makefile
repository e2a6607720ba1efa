# Ownkey's commands. `make help` lists them.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8080
DATA_DIR ?= .data
V := .venv/bin
TEST_WORKERS ?= 2
TEST_ARGS ?=
BENCH_ARGS ?=

help: ## list the commands
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

.venv/runtime.stamp: requirements/runtime.lock requirements/build.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Ownkey needs Python 3.11 or newer; set PYTHON=/path/to/python3.11") if sys.version_info < (3, 11) else None'
	@test -x $(V)/python || $(PYTHON) -m venv .venv
	$(V)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/runtime.lock
	$(V)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/build.lock
	$(V)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@$(V)/python -m compileall -q src .venv/lib >/dev/null || true
	@touch $@

.venv/dev.stamp: .venv/runtime.stamp requirements/dev.lock
	$(V)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.lock
	@touch $@

setup: .venv/runtime.stamp ## create .venv and install the locked dependencies

setup-dev: .venv/dev.stamp

run: setup ## start the server (PORT=8080 DATA_DIR=.data)
	@exec $(V)/ownkey serve --host $(HOST) --port $(PORT) --data-dir $(DATA_DIR)

# Anew with every change of this file: the list may have grown, and looking costs nothing.
.venv/system.stamp: Makefile
	@PYTHON=$(PYTHON) ./scripts/install-system-packages postgresql chromium
	@touch $@

setup-clients: setup-dev ## install the clients that tests drive, each in an environment of its own
	@./scripts/install-clients $(V)

setup-long-clients: setup-dev ## the same, and those that only the long run drives
	@./scripts/install-clients $(V) --long

test: setup-dev .venv/system.stamp setup-clients ## the tests, with a real Postgres and a real browser; installs what it needs
	$(V)/python -m pytest -n $(TEST_WORKERS) -m "not long" $(TEST_ARGS)

test-long: setup-dev .venv/system.stamp setup-long-clients ## every case and the long forms, too (about half an hour)
	$(V)/python -m pytest -n $(TEST_WORKERS) $(TEST_ARGS)

bench: setup-dev ## compare with nginx and the bare sandbox, one core each
	@PYTHON=$(PYTHON) ./scripts/install-system-packages nginx-light wrk
	$(V)/python -m bench $(BENCH_ARGS)

bench-peers: setup-dev ## the same beside LiteLLM and Portkey, where they can be installed
	@PYTHON=$(PYTHON) ./scripts/install-system-packages nginx-light wrk
	@./scripts/install-peers $(V)
	$(V)/python -m bench --peers $(BENCH_ARGS)

check: setup-dev ## format, lint, types, layers
	$(V)/ruff format --check .
	$(V)/ruff check .
	$(V)/pyright
	$(V)/lint-imports --no-cache

lock: setup-dev ## renew the hash-locked dependency lists
	$(V)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url pyproject.toml -o requirements/runtime.lock
	$(V)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url --group dev pyproject.toml -o requirements/dev.lock

.PHONY: help setup setup-dev setup-clients setup-long-clients run test test-long bench bench-peers check lock
