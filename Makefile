# Recipes for developers; `make` lists them. CI runs the same ones (.ci/run).
PYTHON ?= python3
BIN := .venv/bin
UPGRADE ?=

.DEFAULT_GOAL := help
.PHONY: help install format formatted lint types layers check test slow lock

help: ## list the recipes
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 12

install: ## make .venv, and install the project with its development tools into it
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -c requirements.lock -e ".[dev]"

format: ## format the code, and repair what ruff can repair safely
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

formatted: ## is the code formatted?
	$(BIN)/ruff format --check

lint: ## ruff's rules
	$(BIN)/ruff check

types: ## mypy on api, engine and processes
	$(BIN)/mypy

layers: ## the import contracts of pyproject.toml
	$(BIN)/lint-imports

check: formatted lint types layers ## all four; `make -k check` goes on after a fault

test: ## the tests
	$(BIN)/pytest

slow: ## the tests that take long
	$(BIN)/pytest -m slow

lock: ## write requirements.lock anew; UPGRADE=--upgrade takes the newest versions
	$(PYTHON) -m venv build/lock
	build/lock/bin/pip install --quiet uv
	build/lock/bin/uv pip compile --quiet pyproject.toml --all-extras --universal --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header $(UPGRADE) -o requirements.lock
