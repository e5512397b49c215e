# One list of commands, for people and for CI: `make install run test test-long test-clients walk bench soak scaling fuzz lint clean`.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help install run test test-long test-clients walk bench soak scaling fuzz lint check system clean

VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PACKAGES := schemas broker service workers cli client benchmarks docker/grafana/source
PORT ?= 8000
# The oldest supported Python comes first: the pins are known to have wheels for it.
PYTHON ?= $(shell for name in python3.11 python3.12 python3.13 python3; do \
	$$name -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$name && break; done)

help: ## show this list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/make \1\t\2/' | expand -t 16

install: $(STAMP) ## .venv with the attribution command and everything for run and test
	@:

$(STAMP): pyproject.toml client/pyproject.toml constraints.txt
	@[ -n "$(PYTHON)" ] || { echo "Python 3.11 or newer is needed, but the PATH has none." >&2; exit 1; }
	@[ -x $(BIN)/python ] || { echo "Creating $(VENV) with $$($(PYTHON) --version)"; $(PYTHON) -m venv $(VENV); }
	@echo "Installing the pinned packages. The first time this takes a few minutes, because torch is large."
	@$(BIN)/python -m pip install -qq --disable-pip-version-check \
		--constraint constraints.txt --editable client --editable '.[gateway,worker,cli,models,tracing,test]'
	@touch $@
	@echo "Installed: $(BIN)/attribution"

run: install ## start the service on http://127.0.0.1:8000 and explain a sample; ONCE=1 stops after that
	@$(BIN)/attribution serve --port $(PORT) --demo $(if $(filter-out 0,$(ONCE)),--once)

# Three processes on two cores: tests of a running service wait for it most of the time, and others compute meanwhile.
# `tests/scheduling.py` says what stays together, and in which order.
# Each takes up to 4 GB of memory, so no more than five.
CORES := $(shell nproc 2>/dev/null || echo 2)
WORKERS ?= $(shell echo $$(( $(CORES) < 4 ? $(CORES) + 1 : 5 )))
PYTEST := $(BIN)/python -m pytest --durations=10 -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test: install system check ## lint, types and every test that does not take minutes; WORKERS=3 processes
	@$(PYTEST)

test-long: install system ## the tests that take minutes or measure this machine, which `make test` leaves out
	@$(BIN)/python -m pytest --durations=10 -m long -n 0

walk: install ## every boundary of every route in the OpenAPI document, and hundreds of drawn requests for each
	@$(BIN)/python -m pytest -m long tests/service/openapi

test-clients: install ## clients of KServe, Triton, MLServer, Vertex and TorchServe, unmodified; writes docs/clients.md
	@CONFORMANCE_PAGE=docs/clients.md $(BIN)/python -m pytest --durations=10 tests/conformance

# The machine must do nothing else. If it has a GPU, the GPU is measured.
bench: install ## measure benchmarks/results.md in about half an hour; ONLY="ig memory" for parts, ONLY=host without a device
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

soak: install ## seeds of mixed jobs through killed and stopped processes; SEEDS=20 FIRST=1, a few minutes each
	@$(BIN)/python -m tests.soak --seeds $(or $(SEEDS),20) --first $(or $(FIRST),1)

scaling: install ## two bursts on workers that a controller starts and stops; writes the picture of docs/scaling.md
	@$(BIN)/python -m pip install -qq --disable-pip-version-check --constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m tests.scaling

fuzz: install ## 100,000 nearly valid requests over real sockets; REQUESTS= and SEED= for others
	@$(BIN)/python -m tests.fuzz --requests $(or $(REQUESTS),100000) --seed $(or $(SEED),1)

lint: install check ## ruff and mypy

# Models are checked one by one, because each has a model.py.
check:
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy $(PACKAGES)
	@for model in models/*/; do $(BIN)/mypy "$$model"*.py || exit 1; done

# The broker's tests need Valkey, which a wheel brings. Where Redis is installed, they run on it too, and those of
# encrypted connections run on it alone: the wheel's Valkey is built without TLS. The tests of the page need Chromium.
# Prometheus runs the queries of the dashboards and alerts; its package starts a service of its own where systemd runs,
# which no test needs.
REDIS_ABSENT := redis-server could not be installed; the tests use only Valkey, and none encrypts
CHROMIUM_ABSENT := chromium could not be installed; the tests of the page need it and will fail
PROMETHEUS_ABSENT := prometheus could not be installed; the tests of dashboards and alerts need it and will fail
system:
	@command -v redis-server >/dev/null || $(call apt,redis-server,$(REDIS_ABSENT))
	@for name in chromium chromium-browser google-chrome-stable google-chrome; do \
		command -v "$$name" >/dev/null && exit; done; $(call apt,chromium,$(CHROMIUM_ABSENT))
	@command -v promtool >/dev/null || $(call apt,prometheus,$(PROMETHEUS_ABSENT))

# Installs a Debian package where root can, or says $(2).
define apt
{ [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && echo "Installing $(1) for the tests" && \
	{ apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $(1); } \
		>/dev/null 2>&1 </dev/null || echo "$(2)"; }
endef

clean: ## remove everything that the other commands made
	@rm -rf $(VENV) out build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
