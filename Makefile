# `make demo` and `make test` install what they need into .venv the first time and start at once afterwards.
.PHONY: demo test slow lint format clean
.DEFAULT_GOAL := help
python := .venv/bin/python
installed := .venv/installed
# the package without its tests, for mypy and editors: the root of the repository is remanifold itself
rooms := $(notdir $(patsubst %/__init__.py,%,$(wildcard */__init__.py))) __init__.py __main__.py py.typed

help:
	@echo "make demo    figures and the table of predicted against measured critical points (about 5 minutes)"
	@echo "make test    lint, types and tests (about 8 minutes on two cores)"
	@echo "make slow    the long checks"

$(installed): pyproject.toml constraints.txt
	@echo "installing into .venv (first time only) ..."
	@test -x $(python) || python3 -m venv .venv
	@$(python) -m pip install --quiet --quiet --disable-pip-version-check --constraint constraints.txt --editable '.[dev]'
	@touch $@

demo: $(installed)
	@$(python) -m remanifold demo

test: lint
	@$(python) -m pytest --numprocesses auto --maxprocesses 4

slow: $(installed)
	@$(python) -m pytest -m slow

lint: $(installed)
	@$(python) -m ruff check .
	@$(python) -m ruff format --check .
	@mkdir -p .venv/types/remanifold
	@for room in $(rooms); do ln -sfn ../../../$$room .venv/types/remanifold/$$room; done
	@$(python) -m mypy

format: $(installed)
	@$(python) -m ruff check --fix .
	@$(python) -m ruff format .

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache *.egg-info
