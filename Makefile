# One command each; everything is installed by the first that needs it.
.DEFAULT_GOAL := help
SHELL := bash
UV := .uv/bin/uv
# This python3 where it is 3.13, else uv finds or fetches one.
PYTHON := $(shell python3 -c 'import sys; print(sys.executable if sys.version_info[:2] == (3, 13) else "3.13")')
RUN := .venv/bin

help: ## list the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

install: .venv/installed ## install what the project needs into .uv and .venv

.uv/bin/uv:
	@python3 -m venv .uv
	@.uv/bin/pip install --quiet --disable-pip-version-check uv

.venv/installed: .uv/bin/uv pyproject.toml uv.lock
	@$(UV) sync --quiet --frozen --python $(PYTHON)
	@touch $@

check: install ## ruff, mypy strict, import-linter, sam validate --lint, the lock and the layer's requirements in step
	$(RUN)/ruff check
	$(RUN)/ruff format --check
	$(RUN)/mypy
	$(RUN)/lint-imports
	$(RUN)/python -m dev validate
	$(UV) lock --check --quiet --python $(PYTHON)
	$(UV) export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-header --no-annotate --python $(PYTHON) | diff layers/els_core/requirements.txt - || (echo "layers/els_core/requirements.txt is not in step with the lock: run make lock" && false)

lock: .uv/bin/uv ## lock the dependencies again and export the layer's requirements
	$(UV) lock --python $(PYTHON)
	$(UV) export --quiet --frozen --no-dev --no-emit-project --no-hashes --no-header --no-annotate --python $(PYTHON) > layers/els_core/requirements.txt

crashpoints: install ## kill a process, or lose its answer, at every call that it makes
	$(RUN)/pytest tests/simulation/test_crash_points.py

test: install ## every test
	$(RUN)/pytest

bench: install ## compare the handler with bare loops over the same drivers; QUICK=1 takes a minute
	$(RUN)/python -m benchmarks $(if $(QUICK),--quick) $(if $(OUT),--out $(OUT))

simulate: install ## simulated runs: SEEDS=10000 of them, from FIRST=1 on, or replay one with its trace: SEED=n
	$(RUN)/python -m tests.simulation $(if $(SEED),seed $(SEED),seeds $(or $(SEEDS),1000) --first $(or $(FIRST),1))

schemas: install ## write the JSON Schemas of the wire format to docs/schemas
	$(RUN)/python -m dev schemas

mutants: install ## remove the guards one by one; the simulation must notice each within a stated number of seeds
	$(RUN)/python -m tests.simulation mutants

build: install ## build functions and layers with sam, and compile the layer
	$(RUN)/python -m dev build

bundle: install ## build each function with its layers in one folder, for a local AWS that does not apply layers
	$(RUN)/python -m dev bundle

chaos: install ## kill -9 and break everything under load for MINUTES=n (SEED=n), then balance the books
	$(RUN)/python -m dev.chaos chaos $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

demo: install ## play upstream on real files: make demo [ESSAYS=folder] [KEEP=1 leaves it running] [BREAK=1 breaks a promise] [BUNDLE=1 without layers]
	@$(RUN)/python -m dev.demo $(if $(ESSAYS),--essays "$(ESSAYS)") $(if $(KEEP),--keep) $(if $(BREAK),--break) $(if $(BUNDLE),--bundle)

demo-stop: install ## stop what make demo KEEP=1 left running
	@$(RUN)/python -m dev.demo stop

endurance: install ## keep up a steady load for MINUTES=n (SEED=n): all succeeds, memory is flat, the books balance
	$(RUN)/python -m dev.chaos endurance $(if $(MINUTES),--minutes $(MINUTES)) $(if $(SEED),--seed $(SEED))

.PHONY: help install check lock test schemas build bundle chaos endurance bench crashpoints simulate mutants demo demo-stop
