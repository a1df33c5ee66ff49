# make simulate   runs the whole loop, offline, with the live dashboard
# make test       runs every check: format, lint, types, import boundaries, tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
# If it were set, each of the thousand processes that the tests start would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install simulate test check-format lint types imports coverage pytest audit aws-models reference format bench mutants explore fuzz moto-suite clean
.PHONY: build-GeneratorLambda build-ConsumerLambda

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The environment to work in, and one for the mutants: they run for minutes, and the first may change meanwhile. Each is
# rebuilt when its requirements change.
MUTANTS := .venv-mutants
$(VENV)/.installed $(MUTANTS)/.installed: pyproject.toml constraints.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps vega-datasets
	@touch $@

install: $(VENV)/.installed ## create .venv and install the project with its tools

simulate: install ## run the loop offline with the live dashboard (ARGS='--scenario burst')
	$(BIN)/stockpipe simulate $(ARGS)

test: check-format lint types imports coverage ## run the five checks below, one after the other

check-format: install ## check that the sources are in the project's format
	$(BIN)/ruff format --check .

lint: install ## run ruff
	$(BIN)/ruff check .

types: install ## run mypy, strict
	$(BIN)/mypy

imports: install ## run import-linter: who may import whom
	$(BIN)/lint-imports

# The floor is Linux's: elsewhere the tests of Lambda's own runtime client are skipped.
FLOOR := $(if $(filter Linux,$(shell uname)),,--fail-under=0)
# A test often waits for a process that it started: one worker more than there are cores keeps the cores busy.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
coverage: install ## run the tests, measure coverage, fail below the floor (then coverage html -d out/coverage)
	@rm -rf build/coverage
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(FLOOR)

pytest: install ## run only the tests, or some of them (ARGS='-k poison')
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# The scanner has its own environment, because it is large and pins its own versions.
AUDIT := .venv-audit
$(AUDIT)/.installed: .ci/audit-requirements.txt
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/audit-requirements.txt
	@touch $@

audit: $(AUDIT)/.installed ## scan the template; the exceptions and their reasons are in .checkov.yaml
	$(AUDIT)/bin/checkov --config-file .checkov.yaml

# Without a network it is skipped, and says so: a change at AWS never blocks a build.
NEWEST := build/newest-botocore
aws-models: install ## compare our quotas with the newest botocore's API models, as CI does once a day
	@rm -rf $(NEWEST)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(NEWEST) botocore; then \
	  AWS_MODELS=$(NEWEST)/botocore/data $(BIN)/python -m pytest -p no:xdist tests/simulator/test_aws_models.py; \
	else echo "skipped: pip could not fetch the newest botocore, so there are no newer models to compare with"; fi

reference: install ## write docs/commands.md from the commands' own help
	PYTHONPATH=tests $(BIN)/python -m reference > docs/commands.md

format: install ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

# `sam build` calls these with ARTIFACTS_DIR set; the content is that of `stockpipe package`. They need no environment.
PYTHON_VERSION ?= 3.13
ARCHITECTURE ?= arm64
build-GeneratorLambda build-ConsumerLambda:
	$(PYTHON) -m stockpipe.deploy.package --directory "$(ARTIFACTS_DIR)" --python $(PYTHON_VERSION) --arch $(ARCHITECTURE)

# The tools to compare with stay out of the project's own environment.
.venv-bench/.installed: benchmarks/requirements.txt constraints.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt
	@touch $@

bench: .venv-bench/.installed ## compare the consumer with other tools and the floor (ARGS='--full', ARGS='--only memory')
	.venv-bench/bin/python benchmarks/handlers.py $(ARGS)

mutants: $(MUTANTS)/.installed ## find decisions that may change without a test noticing (ARGS=simulator/triggers/scaling.py)
	$(MUTANTS)/bin/python tests/mutants $(ARGS)

# With the bugs that are planted in it, each until it is found, and then without any.
explore: install ## search worlds with faults for planted bugs, and the sound pipeline (ARGS='--worlds 1000'), an hour
	PYTHONPATH=.:tests $(BIN)/python -m planted.search $(ARGS)

fuzz: install ## generate objects until the consumer and the proof disagree (ARGS='--for 10m --seed 1')
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

# moto's own tests need moto with all of its services.
MOTO := .venv-moto
$(MOTO)/.installed: pyproject.toml constraints.txt
	@test -x $(MOTO)/bin/python || $(PYTHON) -m venv $(MOTO)
	$(MOTO)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . 'moto[all,server]' freezegun pytest
	@touch $@

moto-suite: $(MOTO)/.installed ## run moto's own tests against moto and the store (ARGS=test_sqs), a few minutes
	PYTHONPATH=tests:. $(MOTO)/bin/python -m moto_suite $(ARGS)

clean: ## remove the environment and everything built
	rm -rf $(VENV) $(MUTANTS) $(AUDIT) $(MOTO) .venv-bench build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
