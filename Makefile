# make demo and make test are all a new machine needs: both set up .venv first, and neither needs data of its own.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test test-slow test-oldest lint setup browser database bench docs clean

demo: $(READY)
	$(BIN)/quanvolve train digits

test: $(READY) lint browser database
	$(BIN)/python -m pytest -n 2 --dist loadfile

# The complete data sets are read from QUANVOLVE_DATA, the folder that tests/datasets.py describes.
test-slow: $(READY) browser database
	$(BIN)/python -m pytest -m slow

# The oldest torch that is supported, in an environment of its own; on Linux it may bring gigabytes of CUDA packages.
test-oldest: browser database
	$(PYTHON) -m venv .venv-oldest
	grep -v '^torch==' constraints.txt > .venv-oldest/constraints.txt
	.venv-oldest/bin/python -m pip install --quiet --constraint .venv-oldest/constraints.txt torch==2.8.0
	.venv-oldest/bin/python -m pip install --quiet --constraint .venv-oldest/constraints.txt --editable '.[test,all]'
	.venv-oldest/bin/python -m pytest -n 2 --dist loadfile

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench: $(READY)
	$(BIN)/quanvolve bench

docs: $(READY)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt '.[docs]'
	$(BIN)/python -m sphinx -q -W docs docs/_build

setup: $(READY)

# Pages are tested in Debian's Chromium, databases with its PostgreSQL.
browser:
	@command -v chromium >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium >/dev/null)

database:
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || (apt-get update -qq && apt-get install -y -qq --no-install-recommends postgresql >/dev/null)

# torch comes first and pinned: an unpinned torch may bring gigabytes of CUDA packages.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[test,all]'
	touch $(READY)

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
