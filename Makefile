# The two commands: `make run` brings the platform up, `make test` proves it.
.SUFFIXES:
.DELETE_ON_ERROR:
.DEFAULT_GOAL := run
.PHONY: help run test faults soak bench install dev assets browser lint types imports sizes fmt lock docs messages snapshot clean

PYTHON ?= python3
JOBS ?= auto
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input
BUILT := src/lastlight/ui/build
UI_SOURCES := $(shell find src/lastlight -path $(BUILT) -prune -o -type f \
	\( -name '*.ts' -o -name '*.tsx' -o -name '*.js' -o -name '*.mjs' -o -name '*.css' -o -name '*.svg' -o -name '*.png' -o -name '*.html' -o -name '*.json' -o -name '*.po' \) -print)

help:
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 12

run: install assets ## install, build and serve everything, with the demo
	@exec env $(if $(PORT),LASTLIGHT_PORT=$(PORT)) $(BIN)/lastlight serve --demo

test: dev assets browser lint types imports sizes ## all checks; TESTS=tests/runtime for some
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile $(TESTS)

faults: dev assets browser ## the long suites of faults and attacks; ROWS="Q1 C4" for some, SEED=7 for a repeat
	$(BIN)/python -m pytest tests/faults --long $(if $(ROWS),--rows "$(ROWS)") $(if $(SEED),--seed $(SEED)) $(TESTS)

soak: dev assets ## eight minutes of a busy night with a fault every 20 seconds
	$(BIN)/python -m pytest tests/faults --long --rows soak $(if $(SEED),--seed $(SEED))

bench: dev assets browser ## speed, as ratios against a peer or a limit; BENCH="checkins sockets" for some
	$(BIN)/python -m benchmarks $(BENCH)

lint: dev .stamps/npm ## rules of code, SQL, templates and licences
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/python tools/check_sql.py
	$(BIN)/python tools/check_templates.py
	$(BIN)/python tools/check_licences.py
	$(BIN)/python tools/write_messages.py --check

types: dev .stamps/npm ## types of Python and of the screens
	$(BIN)/basedpyright
	npm run --silent check

imports: dev ## who may import whom
	$(BIN)/lint-imports
	$(BIN)/python tools/check_faces.py

sizes: dev ## sizes of files and functions, names
	$(BIN)/python tools/check_sizes.py

fmt: dev ## format the code
	$(BIN)/ruff check --fix-only --exit-zero --quiet .
	$(BIN)/ruff format .

docs: install ## renew docs/reference
	$(BIN)/lastlight docs

messages: dev ## renew the catalogues of translations; LANGUAGE=af adds one
	$(BIN)/python tools/write_messages.py $(LANGUAGE)

snapshot: dev ## renew migrations/schema.sql
	$(BIN)/python tools/write_snapshot.py

lock: dev ## renew the locks of requirements and packages; UPGRADE=1 takes newer versions
	@$(NODE_HERE)
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) requirements-dev.in -o requirements-dev.lock
	npm install --package-lock-only

COMPILE = $(BIN)/uv pip compile --quiet $(if $(UPGRADE),--upgrade) --generate-hashes --no-emit-index-url --no-header --python-version 3.11

clean: ## remove what was installed and built; keeps var
	rm -rf .venv .stamps node_modules $(BUILT) .pytest_cache .ruff_cache .hypothesis .import_linter_cache test-results
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +

# --- what the commands stand on; a stamp is newer than all it was made from ---------------------------------------

install: .stamps/runtime ## only what the platform runs on
dev: .stamps/dev ## and the tools of the tests
assets: .stamps/assets ## only the screens

WRITABLE = test -w . || { echo "This folder cannot be written: copy it to one that this user owns, and run make there." >&2; exit 1; }
PYTHON_HERE = $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null \
	|| { echo "Python 3.11 or newer is needed: apt-get install python3 python3-venv" >&2; exit 1; }
VENV_HERE = $(PYTHON) -c 'import ensurepip, venv' 2>/dev/null \
	|| { echo "Python's venv is needed: apt-get install python3-venv" >&2; exit 1; }
NODE_HERE = { command -v node && command -v npm; } >/dev/null \
	|| { echo "Node 18 or newer and npm are needed to build the screens: apt-get install nodejs npm" >&2; exit 1; }
NODE_NEW = node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 18 ? 0 : 1)' \
	|| { echo "Node 18 or newer is needed to build the screens; this is $$(node --version)." >&2; exit 1; }

.stamps/venv:
	@$(WRITABLE)
	@$(PYTHON_HERE)
	@$(VENV_HERE)
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@mkdir -p .stamps && touch $@

# What has no wheel is built by the setuptools of the lock, so that nothing is fetched whose hash is not known.
.stamps/runtime: requirements.lock requirements.in pyproject.toml .stamps/venv
	@echo "Installing what the platform runs on …"
	@sed -n '/^setuptools==/,/^ *#/p' requirements.lock >.stamps/builder.lock
	@$(PIP) install --quiet --require-hashes -r .stamps/builder.lock
	@$(PIP) install --quiet --require-hashes --use-pep517 --no-build-isolation -r requirements.lock
	@$(PIP) install --quiet --no-deps --no-index --no-build-isolation -e .
	@touch $@

.stamps/dev: requirements-dev.lock .stamps/runtime
	@echo "Installing the tools of the tests …"
	@$(PIP) install --quiet --require-hashes -r requirements-dev.lock
	@touch $@

.stamps/npm: package.json package-lock.json .npmrc
	@$(WRITABLE)
	@$(NODE_HERE)
	@$(NODE_NEW)
	@echo "Installing what the screens are built with …"
	@npm ci --silent || npm ci
	@mkdir -p .stamps && touch $@

.stamps/assets: .stamps/npm build.mjs $(UI_SOURCES)
	@echo "Building the screens …"
	@node build.mjs
	@touch $@

# Debian offers Chromium without windows too, with which the tests are quicker; where it is not, Chromium itself does.
browser: ## install Chromium for the tests, as root
	@command -v chromium >/dev/null && exit 0; \
	packages="chromium fonts-noto-core fonts-noto-color-emoji"; \
	if [ "$$(id -u)" = 0 ]; then \
		apt-get update -q && \
		{ ! apt-cache show chromium-headless-shell >/dev/null 2>&1 || packages="$$packages chromium-headless-shell"; } && \
		DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends $$packages; \
	else \
		echo "The browser tests need Chromium; type: sudo apt-get install -y --no-install-recommends $$packages" >&2; exit 1; \
	fi
