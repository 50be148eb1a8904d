# `make help` lists what there is. Everything works from a fresh clone with Python 3.11+ and make.

SHELL := /bin/sh
.DEFAULT_GOAL := help

PYTHON ?= python3
UV := uv==0.13.9
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
BUS ?= nats

# Without bytecode files every start compiles every module again, which doubles it.
unexport PYTHONDONTWRITEBYTECODE

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

install: $(STAMP) ## Install everything into .venv from the lock file

$(STAMP): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { \
	  echo "Python 3.11 or later is needed; '$(PYTHON)' is $$($(PYTHON) -V 2>&1). Try: make PYTHON=python3.12 $(MAKECMDGOALS)" >&2; \
	  exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { \
	  echo "No virtual environment could be made (Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	@$(BIN)/uv pip sync --quiet --python $(BIN)/python requirements.lock
	@$(BIN)/python deploy/local/link_project.py
	@touch $@

lock: ## Resolve pyproject.toml into requirements.lock anew
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check $(UV)
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --generate-hashes --no-emit-index-url \
	  --no-annotate --no-header --python-version 3.11 --quiet -o requirements.lock

docs: install build/docs/index.html ## Build the documentation site into build/docs

build/docs/index.html: mkdocs.yml CHANGELOG.md services/gateway/problem_catalogue.py $(shell find docs deploy/docs -type f -not -name '*.pyc')
	@NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict

run: install docs ## Start everything and render a sample batch (ONCE=1, PHOTOS=folder-or.zip, BUS=rabbitmq)
	@$(BIN)/mannequin demo --bus $(BUS) $(if $(ONCE),--once) $(if $(PHOTOS),--photos "$(PHOTOS)")

test: install ## Run every tier of tests against real servers
	@$(BIN)/pytest tests $(ARGS)

check: install ## Format, lint, types, imports, and the tests that need no server
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy libs services training deploy bench tests
	@$(BIN)/lint-imports
	@$(BIN)/pytest tests/arch tests/unit tests/contract $(ARGS)

format: install ## Format and mend what can be mended by itself
	@$(BIN)/ruff check --fix --quiet . || true
	@$(BIN)/ruff format .

generated: install ## Write the generated files anew
	@$(BIN)/python -m libs.common.contracts.asyncapi > docs/asyncapi.json
	@$(BIN)/python -m libs.common.contracts.diagram

verify: install ## Fail on a stale generated file
	@$(BIN)/pytest -q tests/arch -k fresh

rabbitmq: ## Install RabbitMQ from Debian's packages (root, or sudo without a password)
	@sh deploy/local/install_rabbitmq.sh

bench: install ## Run the benchmarks (ONLY=name for one)
	@$(BIN)/python -m bench $(ONLY)

clean: ## Remove the state folder, results and caches (.venv stays)
	rm -rf .mannequin out build .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.PHONY: help install lock docs run test check format generated verify rabbitmq bench clean

-include training/training.mk
