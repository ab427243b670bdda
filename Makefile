# Two commands set everything up: `make demo` runs the main job, `make test` passes the tests.
# Both make .venv on their own; PYTHON names the interpreter to make it with.
PYTHON ?= python3
BIN := .venv/bin
NOX = $(BIN)/python -m nox
QUESTION := wait until all threads have reached a point

.PHONY: demo picture test quick long docs docs-serve check real-servers matrix lowest wheel readme container beside coverage release-check benchmarks

demo: .venv/demo
	$(BIN)/python examples/stdlib_docs.py "$(QUESTION)" | $(BIN)/rerank rank "$(QUESTION)" --top-n 5

# The picture of the README.
picture: .venv/demo
	$(BIN)/python examples/picture.py

test: .venv/dev
	$(BIN)/python -m pytest

quick: .venv/dev
	$(BIN)/python -m pytest -m "not slow"

# What trains models, and drives whole servers and browsers: longer than a change should wait for.
long: .venv/dev
	$(BIN)/python -m pytest -m long

# Servers that nobody here wrote, started on loopback by the tests; each skips where it is missing.
# For Redis: apt-get install redis-server redis-sentinel redis-tools openssl. LiteLLM's proxy and
# Infinity are looked for in RERANK_SERVERS, the bin folders of environments of their own.
real-servers: .venv/dev
	$(BIN)/python -m pytest -n 1 tests/real_servers

# The site, strictly, into site/: pages, reference, tables, messages (docs_site/).
docs: .venv/dev
	$(BIN)/python -m docs_site

docs-serve: docs
	$(BIN)/python -m http.server --bind 127.0.0.1 --directory site 8000

check: .venv/dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/yamllint --strict -d "{extends: relaxed, rules: {line-length: {max: 100}}}" \
		.github CITATION.cff deploy

# Environments of their own, made by nox: the versions that pyproject.toml allows (docs/versions.md),
# the lowest of them, the built wheel with each extra alone. ROW and EXTRAS choose.
matrix: .venv/dev
	$(NOX) -s $(if $(ROW),"matrix($(ROW))",matrix versions)

lowest: .venv/dev
	$(NOX) -s $(if $(ROW),"lowest($(ROW))",lowest)

wheel: .venv/dev
	$(NOX) -s wheel $(if $(EXTRAS),$(patsubst %,"alone(%)",$(EXTRAS)),alone)

# The install lines of README and tutorials, each in an empty environment, and the blocks they are for.
readme: .venv/dev
	$(NOX) -s wheel $(if $(LINE),"readme($(LINE))",readme)

# What the image of deploy/Dockerfile would hold, in an empty environment.
container: .venv/dev
	$(NOX) -s container

# Whether the packages of others can be had beside it.
beside: .venv/dev
	$(NOX) -s beside

# Branches, over the whole suite.
coverage: .venv/dev
	$(NOX) -s coverage

# The version, the newest heading of the changelog and the tag of this commit agree.
release-check: .venv/dev
	$(BIN)/python -m pytest -q -n 0 tests/packaging

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
	$(BIN)/python -m pip install --quiet --no-deps --group pinned
	touch $@
