# Two commands set everything up: `make demo` runs the main job, `make test` passes the tests.
# Both make .venv on their own; PYTHON names the interpreter to make it with.
PYTHON ?= python3
BIN := .venv/bin
QUESTION := copy a file and keep its permissions

.PHONY: demo test quick check openai3 benchmarks

demo: .venv/demo
	$(BIN)/python examples/stdlib_docs.py "$(QUESTION)" | $(BIN)/rerank rank "$(QUESTION)" --top-n 5

test: .venv/dev
	$(BIN)/python -m pytest

quick: .venv/dev
	$(BIN)/python -m pytest -m "not slow"

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo

# The frameworks' own OpenAI packages hold openai below 3; what is ours runs on 3 as well.
openai3:
	$(PYTHON) -m venv .venv-openai3
	.venv-openai3/bin/python -m pip install --quiet --editable ".[api,cli,cohere]" "openai>=3" \
		hypothesis pytest pytest-xdist
	.venv-openai3/bin/python -m pytest tests/test_llm_server.py tests/test_reranker.py \
		tests/test_policies.py tests/test_cli.py

# What the benchmarks drive beside us; then: .venv/bin/python benchmarks/NAME.py
benchmarks: .venv/dev
	$(BIN)/python -m pip install --quiet --group peers

.venv/bin/python:
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"

.venv/demo: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet --editable ".[cli]"
	touch $@

.venv/dev: .venv/bin/python pyproject.toml
	$(BIN)/python -m pip install --quiet torch==2.13.0
	$(BIN)/python -m pip install --quiet --editable ".[all]" --group dev
	touch $@
