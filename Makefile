# The commands a person types; `make` alone lists them.
SHELL := /bin/sh
PYTHON ?= python3
VENV := target/venv
WHAT := --users admin,alice --generate openapi/openapi.json --count $(or $(REQUESTS),1000)
CONTRACT := target/debug/contract run --ledger openapi/ledger.yaml $(WHAT) --seed $(or $(SEED),1)
# Against itself nothing is better: no ledger.
SELF_TEST := target/debug/contract self-test $(WHAT)
# All with the features that the tests need: what they share is compiled once.
BUILD := cargo build --workspace --test schemas

# Python of no service.
SCRIPTS := docs/include.py crates/tools/contract/wheel/installed.py crates/tools/scaffold/inspector \
	crates/tools/scaffold/tests/applications/compare.py crates/tools/trials/third-party crates/bridge crates/libs/celery-compat/tests

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: ## Start the Rust service on SQLite, on port 8000
	cargo run --package api --bin molt

legacy: venv ## Start python-legacy on the same SQLite database, on port 8001
	PORT=$${PORT:-8001} PYTHONPATH=python-legacy $(VENV)/bin/python -m app

test: venv build ## Run every test of both sides, and the contract suite on both databases
	cd python-legacy && ../$(VENV)/bin/python -m pytest -W ignore
	cargo test --workspace --quiet
	$(MAKE) contract
	target/debug/testbed sqlite --through -- target/debug/contract run --users admin,alice \
		--report target/contract-strangler/report.json
	$(MAKE) k8s-check wheel
	$(MAKE) bridge SHORT=1
	$(BUILD) --bin bench --bin limit
	target/debug/bench --length smoke --output target/bench-smoke > /dev/null
	$(MAKE) service-check COMBINATIONS=short

test-long: test ## All that `make test` runs, the short forms of walk and chaos, and service-check
	$(BUILD) --bin walk --bin mutant --bin chaos
	target/debug/walk --requests 5000 --stream 64
	target/debug/chaos --short
	$(MAKE) service-check REQUESTS=200

contract: venv build ## Send the same to both services, compare every byte: REQUESTS=5000 SEED=7
	rm -rf target/contract
	target/debug/testbed sqlite -- $(CONTRACT)
	target/debug/testbed postgres -- $(CONTRACT)

contract-selftest: venv build ## Prove that the suite sees: faults of many kinds, then 20 runs against itself
	rm -f target/contract/self-test.json
	target/debug/testbed sqlite -- $(SELF_TEST) --slack 1000 --ledger openapi/ledger.yaml
	for run in $$(seq 20); do \
		target/debug/testbed sqlite --itself -- $(SELF_TEST) --no-faults --seed $$run \
			> target/self-test.log || { cat target/self-test.log; exit 1; }; \
		tail -n 2 target/self-test.log; \
	done

contract-mutants: venv ## Find the defects of a small service by generated requests, one at a time: SEED=7 MUTANTS=name,name
	MUTANTS=$(or $(MUTANTS),all) SEED=$(SEED) cargo test --quiet --workspace --test mutants -- --nocapture

contract-documents: ## Compare documents with themselves and with single mutations: DOCUMENTS=folder MUTATIONS=200
	CONTRACT_DOCUMENTS="$(abspath $(DOCUMENTS))" CONTRACT_MUTATIONS=$(or $(MUTATIONS),200) \
		cargo test --quiet --workspace --lib openapi::tests::oracle -- --nocapture

walk: venv ## Walk a whole migration under load, there and back and with faults: REQUESTS=100000
	cargo build --release --package api --package trials
	target/release/walk --requests $(or $(REQUESTS),100000)

third-party: build ## Put the strangler before public services, installed now: COUNT=1000 SEED=7 ONLY="titiler phoenix"
	$(PYTHON) crates/tools/trials/third-party/run.py --count $(or $(COUNT),1000) --seed $(or $(SEED),7) $(ONLY)

third-party-drafts: ## Draft public services, installed now, from their code; shadow each draft before its service: COUNT=1000 SEED=7 ONLY=titiler
	$(BUILD) --bin scaffold --bin contract
	$(PYTHON) crates/tools/trials/third-party/drafts.py --count $(or $(COUNT),1000) --seed $(or $(SEED),7) $(ONLY)

chaos: ## Bad days: databases, networks and disks that fail, clients that do everything wrong
	cargo build --release --package api --package trials
	target/release/chaos

soak: ## Load with a fault every twenty seconds, for an hour: SECONDS=3600
	cargo build --release --package api --package trials
	target/release/chaos --soak $(or $(SECONDS),3600) --report target/chaos/soak.json

k8s-check: ## Render and check the Kubernetes manifests of every stage, without a cluster: CRDS=folder
	$(BUILD) --bin molt --bin k8s-check
	sh k8s/check.sh $(if $(CRDS),--crds $(CRDS))

containers: ## Build both images, run them with the manifests' limits, on networks that fail; root, or OFFICIAL=1
	$(BUILD) --bin containers --bin contract --bin testbed
	target/debug/containers $(if $(OFFICIAL),--official)

containers-generated: ## Build and run the images of a service made from this one, and of a draft: as long again
	$(BUILD) --bin containers --bin scaffold
	target/debug/containers --generated $(if $(OFFICIAL),--official)

containers-short: build ## The same in six minutes, with the debug program; what cannot run is counted
	$(BUILD) --bin containers
	target/debug/containers --program debug --short --optional --minutes 5

bench: venv ## Measure both side by side, under an hour; QUICK=1 takes under five minutes
	cargo build --release --package api --package bench
	target/release/bench $(if $(QUICK),--length quick)

bench-guard: ## Compare the instructions of the hot paths with another revision: BASE=main
	sh crates/tools/bench/guard.sh $(BASE)

tasks: venv ## Python's and Rust's producers and workers on one broker, each with each: TASKS=1000 SEED=7
	rm -f target/tasks/report.json
	TASKS=$(or $(TASKS),1000) SEED=$(or $(SEED),1) \
		cargo test --quiet --workspace --test celery -- --nocapture each_producer_with_each_worker

compat: venv ## Send the same to FastAPI and to its counterpart: REQUESTS=200000 SEED=7 VERSIONS=0.115/2.9
	REQUESTS=$(or $(REQUESTS),20000) SEED=$(SEED) VERSIONS=$(VERSIONS) \
		cargo test --quiet --workspace --test compat -- --nocapture

compat-versions: venv ## The same with older releases, each pair in an environment of its own: REQUESTS=50000 PAIRS="0.115/2.9"
	for pair in $(or $(PAIRS),0.110/2.7 0.115/2.9 0.128/2.12 0.136/2.13); do \
		REQUESTS=$(or $(REQUESTS),50000) SEED=$(SEED) VERSIONS=$$pair \
			cargo test --quiet --workspace --test compat -- --nocapture || exit 1; \
	done

fuzz: ## Fuzz every parser that is written by hand: SECONDS=1800 for each, TARGETS="json email"
	sh crates/libs/fastapi-compat/fuzz/run.sh $(or $(SECONDS),60) $(TARGETS)

openapi: venv build ## Export the OpenAPI document from python-legacy, and the schemas of the cases
	cd python-legacy && env -u PROJECT_NAME DATABASE_URL=sqlite:// ENVIRONMENT=local \
		../$(VENV)/bin/python -W ignore -m app.openapi > ../openapi/openapi.json
	target/debug/contract schema cases > openapi/cases.schema.json
	target/debug/contract schema ledger > openapi/ledger.schema.json

lint: venv build ## Check format, lints, types and the checked SQL
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --quiet -- --deny warnings
	cd python-legacy && ../$(VENV)/bin/ruff check . && ../$(VENV)/bin/ruff format --check .
	cd python-legacy && ../$(VENV)/bin/mypy app tests
	target/debug/testbed schema -- sh crates/storage/prepare.sh --check
	$(VENV)/bin/ruff check --quiet --config python-legacy/pyproject.toml $(SCRIPTS)
	$(VENV)/bin/ruff format --check --quiet --config python-legacy/pyproject.toml $(SCRIPTS)
	$(VENV)/bin/mypy --strict crates/tools/scaffold/inspector/molt_inspector
	$(VENV)/bin/python docs/include.py --check
	sh .ci/libraries.sh docs
	sh .ci/lint.sh

docs: venv ## Write the code in the guide anew, from the tree
	$(VENV)/bin/python docs/include.py

resource: venv ## Write a whole resource: NAME=orders FIELDS="number:string(1..40) note:string?"
	cargo run --quiet --package scaffold -- resource $(NAME) $(if $(SINGULAR),--singular $(SINGULAR)) "$$FIELDS"
	$(MAKE) sqlx openapi

service: ## Make a service of your own: NAME=parcels INTO=../parcels WITHOUT=items,python-legacy,strangler,sqlite LIBRARIES=path=.
	cargo run --quiet --package scaffold -- service $(NAME) --into $(INTO) \
		$(if $(WITHOUT),--without $(WITHOUT)) $(if $(LIBRARIES),--libraries "$(LIBRARIES)")

service-check: venv build ## Make services in four combinations, with resources, run their `make lint test`: COMBINATIONS="1 4"
	sh crates/tools/scaffold/service-check.sh

draft: ## Draft Rust before a FastAPI service: DOCUMENT=openapi.json or APP=app.main:app DIRECTORY=../notes; NAME=notes OPERATIONS=read_note LIST=1
	cargo run --quiet --package scaffold -- draft $(DOCUMENT) $(if $(APP),--app "$(APP)") $(if $(DIRECTORY),--directory $(DIRECTORY)) \
		$(if $(APP_PYTHON),--python $(APP_PYTHON)) $(if $(APP_ENV),--env "$(APP_ENV)") \
		--name $(NAME) $(if $(OPERATIONS),--operations "$(OPERATIONS)") $(if $(LIST),--list)

drafts: ## Draft, compile and test a crate of each OpenAPI document of a folder: DOCUMENTS=../documents ONLY=a,b
	@test -n "$(DOCUMENTS)" || { echo "make drafts: DOCUMENTS=a folder with OpenAPI documents" >&2; exit 1; }
	cargo run --quiet --package scaffold -- drafts $(DOCUMENTS) $(if $(ONLY),--only "$(ONLY)")

inspect: ## Read from a FastAPI application what its document does not show: APP=app.main:app DIRECTORY=../notes OUTPUT=notes.json
	cargo run --quiet --package scaffold -- inspect --app "$(APP)" $(if $(DIRECTORY),--directory $(DIRECTORY)) \
		$(if $(OUTPUT),--output $(OUTPUT))

tables: ## Draft a crate for an application's tables: APP=app.main:app DIRECTORY=../notes INTO=../notes-tables
	cargo run --quiet --package scaffold -- tables --app "$(APP)" $(if $(DIRECTORY),--directory $(DIRECTORY)) \
		--into $(INTO)

inspector-versions: ## Run the inspector with FastAPI from 0.88 to the newest, each in its own environment
	$(BUILD) --bin scaffold
	sh crates/tools/scaffold/inspector/versions.sh

package: ## Build what of the libraries would be published, and their documentation
	sh .ci/libraries.sh package

semver: ## Compare the public items of the libraries with the last tag v*
	sh .ci/libraries.sh semver

sbom: ## List everything that the Rust service is made of, as CycloneDX: target/sbom.json
	sh .ci/sbom.sh

image-check: ## Build the program of the image, and run it as the image does; needs root, not Docker
	sh crates/api/image-check.sh

wheel: build ## Build the wheel with `contract`, install it as a user does, run the README's first page
	sh crates/tools/contract/wheel/check.sh

bridge: venv build ## Build the wheel with the service for python-legacy's process, test it, run `contract` on it: SHORT=1
	REQUESTS=$(REQUESTS) SEED=$(SEED) sh crates/bridge/check.sh $(if $(SHORT),--short)

bridge-bench: venv ## Measure what the bridge costs and saves, with the release build
	sh crates/bridge/bench.sh

sqlx: ## Write the data with which SQL is checked offline, after changing a statement
	$(BUILD) --bin testbed
	target/debug/testbed schema -- sh crates/storage/prepare.sh

venv: $(VENV)/.complete

# pip refuses two locks that pin one package differently: tests run on what production installs.
LOCKS := python-legacy/requirements.lock python-legacy/requirements-dev.lock \
	crates/tools/scaffold/tests/applications/requirements.lock
$(VENV)/.complete: $(LOCKS)
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes \
		$(LOCKS:%=-r %)
	touch $@

build:
	$(BUILD) --bin molt --bin contract --bin testbed

.PHONY: help run legacy test test-long contract contract-selftest contract-mutants contract-documents compat compat-versions fuzz openapi lint sqlx venv build bench bench-guard walk chaos soak \
	k8s-check containers containers-generated containers-short docs resource service service-check draft drafts inspect tables inspector-versions package semver sbom image-check third-party third-party-drafts wheel bridge bridge-bench tasks
