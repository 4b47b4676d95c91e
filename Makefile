# Everything runs in .venv, made from a bare python3 >= 3.11. Without DATABASE_URL and BROKER_URL the commands
# bring up PostgreSQL and Valkey by themselves (config/embedded) and stop them when the last one has ended.

PYTHON3 ?= python3
PYTHON := .venv/bin/python
WITH_SERVERS := $(PYTHON) -m config.embedded run --
# Whole runs of the tests are shared out among as many processes; JOBS=0 keeps them in one.
JOBS ?= $(if $(ARGS),0,$(shell echo $$(($$(nproc 2>/dev/null || echo 2) + 1))))
PYTEST = $(PYTHON) -m pytest -n $(JOBS) --dist worksteal
TEMPLATES = $(shell find templates */templates -name '*.html' 2>/dev/null)

.DEFAULT_GOAL := help
.PHONY: help setup manage demo test check loop bench promises browser screenshots

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.synced .venv/.translated ## Make or renew .venv and the compiled translations
	@:

manage: setup ## Run a command of manage.py: make manage DO="migrate --plan"
	@$(PYTHON) manage.py $(or $(DO),help)

demo: setup ## Run the demo company until Ctrl-C; FRESH=1 begins anew, PORT=8000 is tried first
	@$(PYTHON) -m config.demo $(if $(FRESH),--fresh) $(if $(PORT),--port $(PORT)) $(ARGS)

test: setup ## Run all tests but the browser's; ARGS="-k consent" selects, JOBS=4 says how many at once
	@$(PYTEST) -m "not browser" $(ARGS)

browser: setup ## Run the tests in a real browser, Chromium on the PATH; ARGS="-k matrix" selects
	@$(PYTEST) -m browser $(ARGS)

screenshots: setup ## Walk all staff pages of a demo company in both languages, themes and sizes, into docs/img
	@$(WITH_SERVERS) $(PYTHON) -m config.screenshots $(ARGS)

check: setup ## Lint, types, layers, missing migrations, translations, templates
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports --no-logo
	$(PYTHON) manage.py makemigrations --check --dry-run
	$(PYTHON) -m config.translations --check
	$(if $(TEMPLATES),.venv/bin/djade --check $(TEMPLATES))

loop: setup ## Do the main job once with real processes and count; KILL=20 kills workers meanwhile
	@$(WITH_SERVERS) $(PYTHON) -m config.loop $(if $(KILL),--kill $(KILL))

bench: setup ## Measure; ONLY=engine,ingest selects
	@$(WITH_SERVERS) $(PYTHON) -m bench $(if $(ONLY),--only $(ONLY))

promises: setup ## Put what is promised to the test; ONLY=P1,P3-P6 selects, FULL=1 as before a release, PART=2/4 a part of it, SEED=7 repeats
	@$(PYTHON) -m tests.promises $(if $(ONLY),--only $(ONLY)) $(if $(FULL),--full) $(if $(PART),--part $(PART)) $(if $(SEED),--seed $(SEED)) $(ARGS)

# uv reads the lock; pip brings it where it is missing, and Debian's python3 may lack pip as well.
.venv/.synced: pyproject.toml uv.lock
	@$(PYTHON3) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "Trilha needs Python 3.11 or newer: make PYTHON3=python3.12 setup"; exit 1; }
	@echo "bringing .venv up to date"
	@uv=$$(command -v uv) || uv=.local/uv/bin/uv; \
	if ! $$uv --version >/dev/null 2>&1; then \
		if $(PYTHON3) -m pip --version >/dev/null 2>&1; then \
			$(PYTHON3) -m pip install --quiet --upgrade --target .local/uv uv; \
		elif $(PYTHON3) -c 'import ensurepip' 2>/dev/null; then \
			$(PYTHON3) -m venv --clear .local/uv && .local/uv/bin/python -m pip install --quiet uv; \
		else \
			echo "$(PYTHON3) has neither pip nor venv: apt install python3-venv, or install uv"; exit 1; \
		fi || exit 1; \
	fi; \
	$$uv sync --frozen --quiet --no-python-downloads --python "$$(command -v $(PYTHON3))"
	@touch $@

.venv/.translated: .venv/.synced $(wildcard locale/*/LC_MESSAGES/*.po)
	@$(PYTHON) -m config.translations
	@touch $@
