# Two commands on a fresh machine: `make run` and `make test`. Each sets up .venv first.

VENV := .venv
BIN := $(VENV)/bin
# python3 where it is new enough, else python3.11; any other by `make PYTHON=… run`.
PYTHON ?= $(shell for python in python3 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; \
	done)

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore

.PHONY: run test coverage chaos bench check audit format lock schema setup

run: setup
	@exec $(BIN)/python -m tobiishi run

# All of it in three processes, each with servers of its own; what ARGS names, in one.
test: setup
	@$(BIN)/python -m pytest $(if $(ARGS),$(ARGS),--numprocesses 3 --dist worksteal)

# How much of the pure parts the unit tests reach: which parts and how much, says pyproject.toml.
coverage: setup
	@$(BIN)/python -m pytest tests/unit --numprocesses 3 --dist worksteal --cov --cov-report term-missing:skip-covered

chaos: setup
	@$(BIN)/python -m tobiishi.chaos $(ARGS)

# Everything beside the barest thing that does the same: docs/benchmarks.md. ARGS names parts, options.
bench: setup
	@$(BIN)/python -m benchmarks $(ARGS)

check: setup
	@$(BIN)/python -m ruff format --check .
	@$(BIN)/python -m ruff check .
	@$(BIN)/python -m mypy
	@$(BIN)/lint-imports

audit: setup
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt pip-audit
	@$(BIN)/python .ci/audit

format: setup
	@$(BIN)/python -m ruff format .
	@$(BIN)/python -m ruff check --fix .

# After a version in constraints.txt is changed: what `make setup` installs, with the hashes of the
# files for every Python and platform. (colorama is for Windows alone, which has no `make setup`.)
lock: setup
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt uv
	@printf 'setuptools\n' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 \
		--generate-hashes --no-emit-index-url --no-emit-package colorama --no-annotate \
		--custom-compile-command 'make lock' --extra dev --constraint constraints.txt \
		--output-file requirements.lock pyproject.toml -

# After a migration is added: the schema, to be read.
schema: setup
	@$(BIN)/python -m tests.write_schema

setup: $(VENV)/installed

# setuptools comes first and builds are not isolated, so that the build has pinned versions too.
$(VENV)/installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Tobiishi needs Python 3.11 or newer; install it, or say where it is: make PYTHON=/path/to/python3.11 run" >&2; exit 1; }
	@echo "setting up $(VENV) (a minute or two, the first time)"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt setuptools
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --no-build-isolation --editable '.[dev]'
	@touch $@
