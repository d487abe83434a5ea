# Everything here needs make and Python 3.11 or newer with venv; the rest is fetched into .venv.
#   make demo    see a payment arrive          make test    all checks and tests
.DEFAULT_GOAL := help
.PHONY: help setup demo test check format benchmark chaos lock peers debian screenshots wheel clean
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
BIN := .venv/bin
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade)
# pyright asks a registry whether there is a newer pyright unless it is told not to.
export PYRIGHT_PYTHON_IGNORE_WARNINGS := 1
export PYTHON

help: ## Lists what can be asked for.
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 20

setup: ## Makes .venv and installs what the locks name; does nothing when nothing changed.
	@requirements/setup.sh
	@$(BIN)/python requirements/assets.py

demo: setup ## Starts emulator, service and a shop with every way to pay, and prints the addresses to open; ONCE=1 plays it through alone.
	@$(BIN)/daozhang demo $(if $(ONCE),--once)

# Three on two cores: a test that waits leaves its core to another.
WORKERS ?= 3

test: check peers debian ## All checks and all tests; some 25 minutes on two cores.
	@echo "== tests"
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --durations 15 $(PYTEST_ARGS)
	@echo "== tests of what touches the database, on PostgreSQL"
	@$(BIN)/pytest -n $(WORKERS) --dist loadfile --durations 5 --database postgresql tests/service tests/journeys $(PYTEST_ARGS)

check: setup ## The checks that run no code of ours: lint, format, types, floors.
	@echo "== ruff"
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@echo "== pyright"
	@$(BIN)/pyright
	@echo "== floors"
	@$(BIN)/lint-imports

FIGURES := $(CURDIR)/.chaos-figures
CHAOS = CHAOS_FIGURES=$(FIGURES) $(BIN)/pytest -q -s --timeout 7200
KILLS ?= 200
LIVES := tests/journeys/test_convergence.py tests/service/test_refunds.py

chaos: setup ## Kills processes at every named point and KILLS times (200) under load, stops PostgreSQL, lets drawn lives of orders and 20,000 of them meet all weather, lives a month of three merchants whose every day reconciles, lays 1,000 mismatches into days, on both databases; docs/reports/chaos.md.
	@rm -f $(FIGURES)
	@$(CHAOS) --kills $(KILLS) tests/journeys/test_deaths.py
	@$(CHAOS) --kills $(KILLS) --database postgresql tests/journeys/test_deaths.py
	@$(CHAOS) --kills $(KILLS) --processes 4 --database postgresql tests/journeys/test_deaths.py
	@$(CHAOS) tests/journeys/test_named_deaths.py
	@$(CHAOS) --database postgresql tests/journeys/test_named_deaths.py
	@$(CHAOS) $(LIVES)
	@$(CHAOS) --database postgresql $(LIVES)
	@$(CHAOS) -m chaos tests/journeys
	@$(CHAOS) -m chaos --database postgresql tests/journeys
	@$(BIN)/python tests/chaos_report.py $(FIGURES)

peers: setup ## Makes the environments of the official SDKs that some tests talk to.
	@$(BIN)/python tests/peers/environments.py

debian: setup ## Unpacks nginx, PHP and Chromium into .venv/debian for the tests that run them, if the machine has none.
	@requirements/debian.sh

format: setup ## Puts the code in the form that the checks ask for.
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

benchmark: peers ## Prints the tables: ours, the peers, the limit, in one run.
	@$(BIN)/python -m benchmarks

screenshots: debian ## Writes every page of the console, in both languages and themes, into screenshots/.
	@$(BIN)/pytest -q tests/console/test_screenshots.py --screenshots "$(CURDIR)/screenshots"

wheel: setup ## Builds dist/daozhang-VERSION-py3-none-any.whl, for a server or a container.
	@rm -rf dist
	@$(BIN)/python -m build --wheel --no-isolation --outdir dist

lock: setup ## Remakes the hashed locks from pyproject.toml and requirements/*.in; UPGRADE=1 takes newer versions.
	@$(COMPILE) requirements/uv.in --output-file requirements/uv.txt
	@$(COMPILE) pyproject.toml --group dev --all-extras --output-file requirements/dev.txt
	@$(COMPILE) pyproject.toml --extra service --constraint requirements/dev.txt --output-file requirements/service.txt
	@$(COMPILE) requirements/peers-official.in --output-file requirements/peers-official.txt
	@$(COMPILE) requirements/peers-fzlee.in --output-file requirements/peers-fzlee.txt
	@$(COMPILE) requirements/peers-flask.in --output-file requirements/peers-flask.txt
	@$(COMPILE) requirements/peers-frames.in --output-file requirements/peers-frames.txt

clean: ## Removes .venv and everything else that can be made again.
	@rm -rf .venv tests/peers/environments build dist .pytest_cache .ruff_cache .hypothesis .import_linter_cache .schemathesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
