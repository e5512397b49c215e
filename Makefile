# One list of commands, for people and for CI: `make install run test bench lint clean`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install run test bench lint check system clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := schemas broker service workers cli benchmarks
PORT ?= 8000
# The oldest supported Python comes first: the pins are known to have wheels for it.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

help: ## this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)/make \1\t\2/' | expand -t 16

install: $(STAMP) ## .venv with the attribution command and all that run and test need
	@:

$(STAMP): pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, and none was found on the PATH." >&2; exit 1; }
	@[ -x $(BIN)/python ] || { echo "Creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the pinned packages; the first time this takes a few minutes (torch is large)"
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--constraint constraints.txt --editable '.[gateway,worker,cli,models,test]'
	@touch $@
	@echo "Installed: $(BIN)/attribution"

run: install ## the service on http://127.0.0.1:8000, with a first explanation; ONCE=1 stops after that
	@$(BIN)/attribution serve --port $(PORT) --demo $(if $(filter-out 0,$(ONCE)),--once)

# Two files of tests at a time; those that start the whole service have the cores to themselves.
test: install system check ## lint, types and every test
	@$(BIN)/python -m pytest --durations=10 -n 2 --dist loadfile --no-loadscope-reorder --ignore=tests/e2e
	@$(BIN)/python -m pytest --durations=10 tests/e2e

# Figures are for a machine that does nothing else; with a GPU they are the GPU's.
bench: install ## benchmarks/results.md, measured here in about half an hour; ONLY="ig memory" for parts
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

lint: install check ## ruff and mypy

# Each model is a program of its own: all have a model.py, so they are checked one by one.
check:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@for model in models/*/; do $(BIN)/mypy "$$model"*.py || exit 1; done

# The broker's tests also run on a real Redis where one is installed; the Valkey they need comes with a wheel.
system:
	@if ! command -v redis-server >/dev/null && [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
		echo "Installing redis-server for the tests"; \
		{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends redis-server; } \
			>/dev/null 2>&1 </dev/null || echo "redis-server could not be installed; the tests use Valkey alone"; \
	fi

clean: ## everything that the other commands made
	@rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
