# Works from a fresh clone with Python 3.11 or newer and a package registry; everything else comes with it.

.DEFAULT_GOAL := help
.PHONY: help run demo test lint lock screenshots chaos chaos-table bench bench-table pages eval fit

# The first of these that is new enough. `make PYTHON=/path/to/python3 ...` chooses another.
PYTHON ?= $(shell for python in python3.13 python3.12 python3.11 python3; do \
	if $$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then echo $$python; break; fi; done)

# All paths are relative, so that the checkout may lie below folders with spaces in their names.
BIN := .venv/bin
RUN_READY := .venv/.ready-to-run
DEV_READY := .venv/.ready-to-develop
BENCH_READY := .venv/.ready-to-measure
PIP_INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-input
COMPILE := $(BIN)/uv pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header \
	--universal --python-version 3.11

help: ## Show what there is.
	@sed -n 's/^\([a-z-]*\):.*## /\1\t/p' Makefile | expand -t 12

run: $(RUN_READY) ## Start everything on this machine; Ctrl-C stops it. ARGS="--port 8080" goes to `reminders up`.
	@exec $(BIN)/reminders up $(ARGS)

demo: $(RUN_READY) ## Tell the whole story on a stack of its own, in a minute and a half.
	@exec $(BIN)/reminders demo $(ARGS)

test: lint ## Lint, then all tests on real parts: about ten minutes on two cores.
	$(BIN)/pytest $(ARGS)

lint: $(DEV_READY) ## Style, format, types and the arrows between packages: about a minute.
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy reminders tests benchmarks
	$(BIN)/lint-imports

screenshots: $(DEV_READY) ## Keep a picture of every page in build/screenshots: desk and phone, light and dark.
	SCREENSHOTS=build/screenshots $(BIN)/pytest tests/browser/test_looks.py

chaos: $(DEV_READY) ## Break a running stack in every way we know: SEED=1 (or SEEDS=1-20) MESSAGES=2000 FAULTS=all.
	@exec $(BIN)/python -m benchmarks.chaos$(if $(SEEDS),.many --seeds $(SEEDS), --seed $(or $(SEED),1)) \
		--messages $(or $(MESSAGES),2000) --faults $(or $(FAULTS),all) $(ARGS)

chaos-table: $(DEV_READY) ## Put the newest results of `make chaos SEEDS=...` into docs/chaos.md.
	@exec $(BIN)/python -m benchmarks.chaos.docs

bench: $(BENCH_READY) ## Measure the engine beside its peers: 20 minutes; ARGS="--quick" takes 4, ARGS="--only drain" a part.
	@exec $(BIN)/python -m benchmarks.bench $(ARGS)

bench-table: $(BENCH_READY) ## Put the newest measurements of `make bench` into docs/benchmarks.md.
	@exec $(BIN)/python -m benchmarks.bench.document

pages: $(DEV_READY) ## What each page costs the server with 50,000 patients and 1,000,000 texts: six minutes; fails where a goal is missed.
	@exec $(BIN)/python -m benchmarks.pages $(ARGS)

eval: $(DEV_READY) ## How well replies are read, on labelled replies; fails where a goal is missed. ARGS="--misses" shows more.
	@exec $(BIN)/python -m benchmarks.reading $(ARGS)

fit: $(DEV_READY) $(BENCH_READY) ## Fit the second reader's weights anew, after rules, words or labelled replies have changed.
	@exec $(BIN)/python -m benchmarks.reading.fit

lock: $(DEV_READY) ## Write requirements*.txt anew from requirements*.in, with hashes. UPGRADE=1 takes newer versions.
	$(COMPILE) $(if $(UPGRADE),--upgrade) requirements.in -o requirements.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) -c requirements.txt requirements-dev.in -o requirements-dev.txt
	$(COMPILE) $(if $(UPGRADE),--upgrade) -c requirements.txt requirements-bench.in -o requirements-bench.txt

# The environment is brought up to date when a lock file or the package's own description changes.
$(RUN_READY): requirements.txt pyproject.toml
	@$(call make_environment)
	@echo "Installing what the product needs (once, about a minute) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements.txt
	@$(PIP_INSTALL) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): requirements-dev.txt $(RUN_READY)
	@echo "Installing what tests and checks need (once, about a minute) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-dev.txt
	@touch $@

$(BENCH_READY): requirements-bench.txt $(RUN_READY)
	@echo "Installing what is measured beside the product (once, about a minute) ..."
	@$(PIP_INSTALL) --require-hashes -r requirements-bench.txt
	@touch $@

define make_environment
	if [ -z "$(PYTHON)" ]; then \
		echo "Python 3.11 or newer is needed: install it, or name it with make PYTHON=/path/to/python3." >&2; exit 2; \
	fi; \
	if ! $(BIN)/python -c 'import sys, pip; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
		echo "Making a Python environment in .venv with $(PYTHON) ..."; \
		$(PYTHON) -m venv --clear .venv || { \
			echo "$(PYTHON) cannot make environments: install its venv module (Debian, Ubuntu: apt-get install python3-venv)." >&2; \
			exit 2; }; \
	fi
endef
