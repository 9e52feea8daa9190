# Everything here sets itself up: it needs Python 3.11 to 3.13 and make, nothing else.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
# Notebooks and tests start hundreds of processes: what one has compiled, the next reads.
export PYTHONDONTWRITEBYTECODE :=
UV := $(BIN)/python .ci/uv.py
ADD := $(UV) pip install --quiet --python $(BIN)/python -c constraints.txt
# What is installed: enough to measure; to test all but torch; all.
MEASURING := $(VENV)/.measuring
TESTING := $(VENV)/.testing
INSTALLED := $(VENV)/.installed

EVERYTHING := pyproject.toml --all-extras --group evals --group dev

.PHONY: help install check house check-platforms test test-pythons test-here test-fleet prometheus chromium eval gate gate-runs nbval load serve lab constraints image-locks image-here sbom audit configure clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

install: $(INSTALLED) ## make .venv with every pinned dependency

$(BIN)/uv: constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
		|| { echo "error: Python 3.11 to 3.13 is needed; say make PYTHON=python3.12 …"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt uv
	@touch $@

$(MEASURING): $(BIN)/uv pyproject.toml
	$(ADD) -e '.[embedded,serve,documents]' --group evals
	@touch $@

# Compiled here, for tests start many processes; there it would take longer than it saves.
$(TESTING): $(MEASURING)
	$(ADD) --compile-bytecode -e '.[embedded,serve,documents]' --group evals --group dev
	@touch $@

$(INSTALLED): $(TESTING)
	@! $(UV) pip install --dry-run --python $(BIN)/python -c constraints.txt torch 2>&1 \
		| grep -q nvidia || { echo "error: the index offers torch with CUDA only, gigabytes of" \
		"it. Say UV_TORCH_BACKEND=cpu make …, or put a CPU wheel into PIP_FIND_LINKS"; exit 1; }
	$(ADD) --compile-bytecode -e '.[embedded,serve,documents,torch]' --group evals --group dev
	@touch $@

check: install ## ruff, mypy strict, import contracts and circles, docstrings, lengths, notebook lint
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python .ci/docstrings.py
	$(BIN)/python .ci/house.py
	$(BIN)/python -m evals lint

house: $(TESTING) ## every file with what it holds, function lengths, lines of code (ARGS="--base REV")
	@$(BIN)/python .ci/house.py --tree $(ARGS)

# Older than these, and some wheels do not fit: glibc 2.28 (2018), macOS 14.
PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28 aarch64-apple-darwin
# What has no wheel: plain Python, and on Linux arm64 what needs a C compiler to measure.
SOURCES := rouge-score
SOURCES_aarch64-manylinux_2_28 := pytrec-eval-terrier
check-platforms: $(PLATFORMS:%=resolve-%) ## the constraints resolve, with wheels, for every Python and platform

resolve-%: $(BIN)/uv
	@for python in 3.11.0 3.12.0 3.13.0; do \
		echo "resolving for Python $$python on $*"; \
		MACOSX_DEPLOYMENT_TARGET=14.0 UV_TORCH_BACKEND= $(UV) pip compile --quiet -c constraints.txt \
			--python-version $$python --python-platform $* --only-binary :all: \
			$(addprefix --no-binary ,$(SOURCES) $(SOURCES_$*)) $(EVERYTHING) >/dev/null || exit 1; \
	done

# One more than two cores have, for tests often wait; each worker starts servers of its own.
PARALLEL := --numprocesses=3 --dist=worksteal

test: install prometheus chromium ## all tests, with coverage of rag_core; ARGS=-n0 runs them one after another
	$(BIN)/python -m pytest $(PARALLEL) --cov=rag_core --cov-report=term-missing:skip-covered $(ARGS)

prometheus: $(TESTING) ## Prometheus and promtool for the tests of rules and dashboards; fetched by apt, no root needed
	@$(BIN)/python .ci/prometheus.py

chromium: $(TESTING) ## Chromium for the tests of the page; fetched by apt where there is none, no root needed
	@$(BIN)/python .ci/chromium.py

test-fleet: install ## the tests of caches and store over a cluster, sentinels and pgbouncer
	$(BIN)/python -m tests.fleet $(ARGS)

test-pythons: ## the tests, torch's apart, on every supported Python that this machine has
	.ci/pythons

test-here: $(TESTING) prometheus chromium
	$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

PROFILE ?= full
eval: $(MEASURING) ## measure the pipeline on the golden data and write a report (PROFILE=smoke is quicker)
	$(BIN)/python -m evals run --profile $(PROFILE)

# What gates, and no more: the collections, and the notebooks that golden/gate.toml names. BASE=REV is
# timed beside this checkout; without it speed is left out, and the verdict says so.
GATE := reports/gate
BASE ?=
gate: gate-runs ## smoke run, then whether a change may go in, against golden/baseline (BASE=REV is timed too)
	$(BIN)/python -m evals gate --candidate $(GATE) $(if $(BASE),,--without speed)

gate-runs: $(MEASURING)
	rm -rf $(GATE)
	$(BIN)/python -m evals run --profile full --only retrieval,validity \
		--parameter by_mode=False --out $(GATE)
	$(BIN)/python -m evals run --profile smoke --only quality,cache,cost --out $(GATE)
	@test -z "$(BASE)" || { test -d build/base || git worktree add --detach build/base "$(BASE)"; \
		git -C build/base checkout --quiet --detach "$(BASE)"; }
	@test -z "$(BASE)" || $(BIN)/python -m evals probe --base build/base --out $(GATE)

nbval: $(TESTING) ## notebooks as tests: their figures against those of golden/baseline, by nbval
	rm -rf build/nbval
	$(BIN)/python -m evals digests --copies build/nbval
	$(BIN)/python -m pytest -p no:xdist --nbval-lax --nbval-cell-timeout=1800 -W default build/nbval

# LOAD=full, people, sustained, spike, cold, warm, provider-fails, postgres-fails, chaos, capacity.
LOAD ?= smoke
load: $(MEASURING) ## put load on the app and judge it by loadtests/slo.toml (LOAD=chaos, LOAD=full, …)
	$(BIN)/python -m loadtests run --profile $(LOAD) $(ARGS)

serve: $(MEASURING) ## serve at 127.0.0.1:8000, with a Postgres and a Valkey of its own unless RAG_* names others
	$(BIN)/python -m rag_core serve $(ARGS)

lab: install ## the notebooks in JupyterLab
	PYTHONPATH=$(CURDIR) $(BIN)/jupyter lab --notebook-dir=notebooks

constraints: $(BIN)/uv ## refresh constraints.txt; ARGS=--upgrade takes newer versions
	UV_INDEX= UV_FIND_LINKS= UV_TORCH_BACKEND= $(UV) pip compile --quiet --universal \
		--python-version 3.11 --no-header --no-annotate $(EVERYTHING) -o constraints.txt $(ARGS)

# What each image installs, by hash; one file for both platforms, for the same is installed on both.
IMAGE_PLATFORMS := x86_64-manylinux_2_28 aarch64-manylinux_2_28
LOCKED_image := pyproject.toml --extra serve --extra documents --excludes deploy/left_out.txt
LOCKED_migrate := pyproject.toml --extra serve --extra documents --extra migrate --excludes deploy/left_out.txt
LOCKED_build := --group image
LOCKED_load := --group load
image-locks: lock-image lock-migrate lock-build lock-load ## the hashed locks of the images, from constraints.txt

lock-%: $(BIN)/uv
	@for platform in $(IMAGE_PLATFORMS); do \
		echo "locking deploy/$*.lock for $$platform"; \
		UV_INDEX= UV_FIND_LINKS= UV_TORCH_BACKEND= $(UV) pip compile --quiet -c constraints.txt \
			--python-version 3.12 --python-platform $$platform --only-binary :all: --generate-hashes \
			--no-header --no-annotate $(LOCKED_$*) -o deploy/$*.$$platform.lock || exit 1; \
	done
	@cmp $(IMAGE_PLATFORMS:%=deploy/$*.%.lock)
	@mv deploy/$*.$(firstword $(IMAGE_PLATFORMS)).lock deploy/$*.lock
	@rm deploy/$*.*.lock

IMAGE := build/image
image-here: install ## run the Dockerfile's steps in build/image and measure the parts; no engine needed
	$(BIN)/python .ci/image.py --into $(IMAGE)

$(IMAGE)/app:
	@$(MAKE) --no-print-directory image-here

sbom: install $(IMAGE)/app ## what is in the image: build/sbom.json (CycloneDX), build/licences.md
	$(BIN)/cyclonedx-py environment $(IMAGE)/app/opt/rag/bin/python --pyproject pyproject.toml \
		--mc-type application --output-reproducible --output-file build/sbom.json
	$(BIN)/python .ci/licences.py build/sbom.json build/licences.md

audit: install ## known vulnerabilities of what the images install; exit code 1: some, or nobody could be asked
	$(BIN)/python .ci/audit.py

configure: install ## write the tables of docs/configure.md from the settings
	$(BIN)/python .ci/settings_table.py

clean: ## remove the environments, the embedded servers' data and the reports
	rm -rf .venv .venvs .rag build reports/[0-9]* reports/load-*
