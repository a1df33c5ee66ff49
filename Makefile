# make simulate   the whole loop, offline, with the live dashboard
# make test       everything that is checked: format, lint, types, import boundaries, tests
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
ARGS   ?=

.DEFAULT_GOAL := help
# Where it is set, each of the thousand processes that the tests start would compile the product anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help install simulate test check-format lint types imports coverage pytest audit aws-models reference format bench mutants fuzz moto-suite clean
.PHONY: build-GeneratorLambda build-ConsumerLambda

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# The one to work in, and the mutants' own: while they run, for minutes, the other may change. Rebuilt when what it
# installs has changed.
MUTANTS := .venv-mutants
$(VENV)/.installed $(MUTANTS)/.installed: pyproject.toml constraints.txt
	@test -x $(@D)/bin/python || $(PYTHON) -m venv $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps vega-datasets
	@touch $@

install: $(VENV)/.installed ## create .venv and install the project with its tools

simulate: install ## run the loop offline with the live dashboard (ARGS='--scenario burst')
	$(BIN)/stockpipe simulate $(ARGS)

test: check-format lint types imports coverage ## the five checks below, one after the other

check-format: install ## the sources are in the project's format
	$(BIN)/ruff format --check .

lint: install ## ruff
	$(BIN)/ruff check .

types: install ## mypy, strict
	$(BIN)/mypy

imports: install ## import-linter: who may import whom
	$(BIN)/lint-imports

# The floor is Linux's: elsewhere the tests of Lambda's own runtime client are skipped.
FLOOR := $(if $(filter Linux,$(shell uname)),,--fail-under=0)
# A test often waits for a process of its own: one worker more than there are cores keeps these at work.
WORKERS := $(shell $(PYTHON) -c 'import os; print((os.cpu_count() or 1) + 1)')
coverage: install ## the tests, how much of the code they run, and the floor of that (coverage html -d out/coverage)
	@rm -rf build/coverage
	$(BIN)/coverage run -m pytest -n $(WORKERS) --dist worksteal
	@$(BIN)/coverage combine --quiet
	$(BIN)/coverage report $(FLOOR)

pytest: install ## the tests alone, or some of them (ARGS='-k poison')
	$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal $(ARGS)

# A scanner of infrastructure, in an environment of its own: it is large and pins its own versions.
AUDIT := .venv-audit
$(AUDIT)/.installed: .ci/audit-requirements.txt
	@test -x $(AUDIT)/bin/python || $(PYTHON) -m venv $(AUDIT)
	$(AUDIT)/bin/python -m pip install --quiet --disable-pip-version-check -r .ci/audit-requirements.txt
	@touch $@

audit: $(AUDIT)/.installed ## scan the template; the exceptions and their reasons are in .checkov.yaml
	$(AUDIT)/bin/checkov --config-file .checkov.yaml

# Skipped, in so many words, where no index of packages answers: a change of AWS's never blocks a build.
NEWEST := build/newest-botocore
aws-models: install ## our quotas against the API models of the newest botocore, as CI does once a day
	@rm -rf $(NEWEST)
	@if $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(NEWEST) botocore; then \
	  AWS_MODELS=$(NEWEST)/botocore/data $(BIN)/python -m pytest -p no:xdist tests/simulator/test_aws_models.py; \
	else echo "skipped: pip could not fetch the newest botocore, so there are no newer models to compare with"; fi

reference: install ## write docs/commands.md from the commands' own help
	$(BIN)/python -c "import cli; from stockpipe.commands import reference; print(reference.markdown(cli.app), end='')" > docs/commands.md

format: install ## rewrite the sources in the project's format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix-only .

# Called by `sam build`, with ARTIFACTS_DIR set: the same content as `stockpipe package`. No environment is needed.
PYTHON_VERSION ?= 3.13
ARCHITECTURE ?= arm64
build-GeneratorLambda build-ConsumerLambda:
	$(PYTHON) -m stockpipe.deploy.package --directory "$(ARTIFACTS_DIR)" --python $(PYTHON_VERSION) --arch $(ARCHITECTURE)

# The peers stay out of the project's own environment.
.venv-bench/.installed: benchmarks/requirements.txt constraints.txt
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -r benchmarks/requirements.txt
	@touch $@

bench: .venv-bench/.installed ## the consumer against its peers and the floor (ARGS='--full', ARGS='--only memory')
	.venv-bench/bin/python benchmarks/handlers.py $(ARGS)

mutants: $(MUTANTS)/.installed ## decisions made otherwise that no test notices (ARGS=simulator/triggers/scaling.py), docs/mutants.md
	$(MUTANTS)/bin/python tests/mutants $(ARGS)

fuzz: install ## made-up objects read by the consumer and by the proof, until they disagree (ARGS='--for 10m --seed 1')
	PYTHONPATH=tests $(BIN)/python -m fuzz $(ARGS)

# moto's own tests need moto with all that it serves.
MOTO := .venv-moto
$(MOTO)/.installed: pyproject.toml constraints.txt
	@test -x $(MOTO)/bin/python || $(PYTHON) -m venv $(MOTO)
	$(MOTO)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e . 'moto[all,server]' freezegun pytest
	@touch $@

moto-suite: $(MOTO)/.installed ## moto's own tests against moto and against the store (ARGS=test_sqs), a few minutes
	PYTHONPATH=tests:. $(MOTO)/bin/python -m moto_suite $(ARGS)

clean: ## remove the environment and everything built
	rm -rf $(VENV) $(MUTANTS) $(AUDIT) $(MOTO) .venv-bench build dist out *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
