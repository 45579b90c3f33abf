# Everything a developer types. `make demo` and `make test` need Python 3.11 or newer and make, nothing else.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin

.PHONY: help lab demo test torture crds docs lint bench-rollback bench-log bench-routing bench-judge bench-evidence bench-scale bench-people bench-commands clean

help:  ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 18

# The project's own environment: pinned by constraints.txt, remade when that or pyproject.toml changes.
$(VENV)/.ready: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Serinus needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) -V). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing Serinus and its tools into $(VENV) (once, about 90 s) ..."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

lab: $(VENV)/.ready  ## start the local stack and leave it up; Ctrl-C ends it
	@$(BIN)/python -m lab up

demo: $(VENV)/.ready  ## a good release promoted, a bad one rolled back, on real traffic
	@$(BIN)/python -m lab demo

test: $(VENV)/.ready  ## everything, the lab's tests included
	@$(BIN)/python -m lab build
	@$(BIN)/python -m pytest

torture: $(VENV)/.ready  ## the long version of the crash and fault tests: every write of every way through a rollout, 200 kills, pairs of spec changes
	@$(BIN)/python -m lab build
	@$(BIN)/python -m pytest tests/crash/torture.py tests/faults/torture.py

lint: $(VENV)/.ready  ## style, types and import contracts alone
	@$(BIN)/python -m pytest -q tests/test_house.py

crds: $(VENV)/.ready  ## regenerate crds/ from the models
	@$(BIN)/serinus crds --write crds

docs: $(VENV)/.ready  ## regenerate docs/reference.md from the models, and build the documentation into site/
	@$(BIN)/python -m handbook
	@$(BIN)/python -m mkdocs build --strict --site-dir site

bench-rollback: $(VENV)/.ready  ## how fast a bad canary is rolled back on the real mesh
	@$(BIN)/python -m bench.rollback

bench-routing: $(VENV)/.ready  ## how long a user's arm, a patch and a weight's way to the traffic take
	@$(BIN)/python -m bench.routing

bench-judge: $(VENV)/.ready  ## whether the judge keeps what it promises, beside other rules (15 min)
	@$(BIN)/python -m bench.judge

bench-evidence: $(VENV)/.ready  ## what a tick of a thousand canaries costs, beside a hung Prometheus too
	@$(BIN)/python -m bench.evidence

bench-scale: $(VENV)/.ready  ## what thousands of canaries cost one operator, on a real API server (15 min)
	@$(BIN)/python -m bench.scale

bench-log: $(VENV)/.ready  ## what the deployment log costs, with 100 000 records in it
	@$(BIN)/python -m bench.log

bench-people: $(VENV)/.ready  ## how soon a person's rollback takes effect and a message is handed over
	@$(BIN)/python -m bench.people

bench-commands: $(VENV)/.ready  ## how long the commands take, with a thousand canaries to list
	@$(BIN)/python -m bench.commands

clean:  ## remove the environment and caches inside the checkout
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
