# `make run` and `make test` are all a fresh machine needs: Python 3.11 or later, make, and a package index.

PYTHON ?= $(firstword $(foreach p,python3.13 python3.12 python3.11 python3 python,$(if $(shell $(p) -c 'import sys; print(1 * ((3, 11) <= sys.version_info < (3, 14)))' 2>/dev/null | grep 1),$(p))))
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help run test check fmt bench docs lock clean

help:  ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

$(READY): pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Error: no Python 3.11, 3.12 or 3.13 found; install one, or say make PYTHON=/path/to/python" >&2; exit 1; }
	@echo "Setting up $(VENV) with $(PYTHON) (once; takes a minute)"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,programs]'
	@touch $@

run: $(READY)  ## see a server go on after kill -9
	@$(BIN)/python scripts/demo.py

test: $(READY)  ## run every test
	@$(BIN)/python -m pytest -n 2 --dist worksteal

check: $(READY)  ## format, lint, types, import contracts, unit tests: fast
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m pytest -q -n 2 -m 'not slow' tests/unit

fmt: $(READY)  ## format and fix what can be fixed
	@$(BIN)/ruff format .
	@$(BIN)/ruff check --fix .

bench: $(READY)  ## print the numbers, beside DBOS measured in the same run
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[bench]'
	@$(BIN)/python -m bench

docs: $(READY)  ## make docs/reference anew from the code
	@$(BIN)/python scripts/make_reference.py

lock: $(READY)  ## resolve constraints.txt anew from the ranges in pyproject.toml
	@$(BIN)/uv pip compile --quiet --universal --no-emit-index-url --no-header --python-version 3.11 --all-extras --output-file constraints.txt pyproject.toml

clean:  ## remove what make made
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .demo .environments
