# One command each, in the order of a day. The first one that needs a program installs it.
.DEFAULT_GOAL := help
SHELL := bash
UV := .uv/bin/uv
# This python3 if it is 3.13; otherwise uv finds or downloads one.
PYTHON := $(shell python3 -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 13) else "3.13")')
RUN := .venv/bin
# The requirements of the layer: what the lock says, without the development tools.
EXPORT = $(UV) export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-header --no-annotate --python $(PYTHON)
REQUIREMENTS := layers/els_core/requirements.txt
# A layer of its own, so that a tracing layer can take its place.
API := opentelemetry-api
API_REQUIREMENTS := layers/opentelemetry/requirements.txt
CACHES := .aws-sam .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache

# A line `## ` after a target is its help, ` | ` begins a new line of it, `### ` begins a group.
help: ## list the commands
	@awk -F ' ## ' '/^### / { print "\n" substr($$0, 5) } \
		/^[a-z-]+:.* ## / { split($$1, target, ":"); lines = split($$2, line, / [|] /); \
		printf "  make %-14s %s\n", target[1], line[1]; \
		for (i = 2; i <= lines; i++) printf "  %-19s %s\n", "", line[i] }' $(MAKEFILE_LIST)

### Start here

setup: install ## install what the project needs into .uv and .venv
install: .venv/installed

.uv/bin/uv:
	@python3 -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/installed: .uv/bin/uv pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --all-extras --python $(PYTHON)
	@touch $@

demo: install ## deploy to a local AWS, send files, check the invariants | [ESSAYS=folder] other files  [KEEP=1] leave it running | [BREAK=1] break an invariant  [BUNDLE=1] no layers
	@$(RUN)/python -m dev.demo $(if $(ESSAYS),--essays "$(ESSAYS)") $(if $(KEEP),--keep) $(if $(BREAK),--break) $(if $(BUNDLE),--bundle)

monitor: install ## serve the figures of what make demo KEEP=1 left running | and start Prometheus beside it, where it is installed
	@$(RUN)/python -m dev.demo.monitor

ask: install ## ask what make demo KEEP=1 left running: healthy? stuck? | dead letters? when was each result told?
	@$(RUN)/python -m dev.demo.questions

demo-stop: install ## stop what make demo KEEP=1 left running
	@$(RUN)/python -m dev.demo stop

### While you work

test-unit: install ## the unit tests, in seconds, without a server
	$(RUN)/pytest -n 0 tests/unit

test-contract: install ## one suite for fakes and real adapters, with real servers
	$(RUN)/pytest tests/contract

format: install ## format the code and fix what ruff can fix
	$(RUN)/ruff check --quiet --fix-only
	$(RUN)/ruff format

schemas: install ## write JSON Schemas, AsyncAPI, OpenAPI and examples
	$(RUN)/python -m dev schemas

lock: .uv/bin/uv ## lock the dependencies and export those of the layer
	$(UV) lock --python $(PYTHON)
	$(EXPORT) --no-emit-package $(API) > $(REQUIREMENTS)
	$(EXPORT) | grep '^$(API)==' > $(API_REQUIREMENTS)

### Before you push

check: install ## ruff, mypy, import-linter, codespell | sam validate, cfn-lint, checkov, schemas, lock
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/codespell
	$(RUN)/python -m dev validate
	$(RUN)/python -m dev check-schemas
	$(UV) lock --check --quiet --python $(PYTHON)
	($(EXPORT) --no-emit-package $(API) | diff $(REQUIREMENTS) - && $(EXPORT) | grep '^$(API)==' | diff $(API_REQUIREMENTS) -) || \
		(echo "the requirements of the layers do not match uv.lock: run make lock" && false)

test: install ## every test, on real servers
	$(RUN)/pytest

### Look for faults longer than the tests do

simulate: install ## simulated runs with faults, on fakes | [SEEDS=n] how many  [FIRST=n] from which seed | [SEED=n] replay one, with its trace
	$(RUN)/python -m tests.simulation $(if $(SEED),seed $(SEED),seeds $(or $(SEEDS),1000) --first $(or $(FIRST),1))

crashpoints: install ## a crash or a lost answer at every call of a port
	$(RUN)/pytest tests/simulation/test_crash_points.py

mutants: install ## remove the guards one by one; the simulator must notice
	$(RUN)/python -m tests.simulation mutants

fuzz: install ## arbitrary bytes at every reader of what others wrote | [MINUTES=n] how long
	$(RUN)/python -m tests.fuzz $(if $(MINUTES),--minutes $(MINUTES))

limits: install ## the largest input under the memory and CPU of a function | [QUICK=1] smaller numbers  [ONLY=name] one of them
	$(RUN)/python -m dev.limits $(if $(QUICK),--quick) $(if $(ONLY),--only "$(ONLY)")

chaos: install ## kill -9 and store faults under load, then reconcile | [MINUTES=n] how long  [SEED=n] repeat a run
	$(RUN)/python -m dev.chaos chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

endurance: install ## a steady load: all of it succeeds and memory stays flat | [MINUTES=n] how long  [SEED=n] repeat a run
	$(RUN)/python -m dev.chaos endurance $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

bench: install ## the service beside its limit and its peers: tables, plots | [QUICK=1] minutes, not an hour  [ONLY=part] one part | [RTT=1] each trip takes 1 ms more  [OUT=file]
	$(RUN)/python -m benchmarks $(if $(QUICK),--effort quick) $(if $(RTT),--only rtt) $(if $(ONLY),--only $(ONLY)) $(if $(OUT),--out $(OUT))

### Build and clean

build: install ## build functions and layers with sam, and compile the layer | [ARCH=arm64] for another machine than this
	$(if $(ARCH),ARCH=$(ARCH)) $(RUN)/python -m dev build

invoke: install ## run one function on its event in a container, with Docker | NAME=provision_content
	$(RUN)/python -m dev.deploy.invoke $(NAME)

bundle: install ## build each function with its layers in one folder
	$(RUN)/python -m dev bundle

clean: ## delete build output and caches; keep .uv, .venv and .local
	rm -rf $(CACHES)
	find . -name __pycache__ -type d -not -path './.uv/*' -not -path './.venv/*' -prune -exec rm -rf {} +

.PHONY: help setup install demo monitor ask demo-stop test-unit test-contract format schemas lock check test simulate crashpoints \
	mutants fuzz limits chaos endurance bench build invoke bundle clean
