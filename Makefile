# One name for each command, the same on a laptop and in CI.

PYTHON ?= python3
# The version is pinned on the command line alone: a range would let pip take a newer build of several GB.
# For a machine without an NVIDIA card, PyTorch's own index has smaller CPU builds: see the README.
TORCH ?= 2.13.0
PROMPT ?= a red circle on a white background
FLOWER ?= 0
# What brings messages to workers: celery or arq. Their libraries cannot be installed together.
QUEUE ?= celery
BENCH ?=
CHAOS ?=
SOAK ?=
MUTANTS ?=
GPU ?=
REHEARSE ?= 0
GPU_PYTHON ?=

BIN := .venv/bin
RUNS_IN := $(if $(filter arq,$(QUEUE)),.venv-arq,.venv)

.PHONY: demo up test test-services test-gpu check arq format bench bench-emulated gpu gpu-bundle chaos soak mutants docs clean

# A process for each core, four at most: each imports torch, and has its own Redis and tiny models. `worksteal` keeps
# the tests of a file together as far as it can, and tells tests apart by number rather than by name. Tests of real
# services share what their file started: those stay together.
IN_PARALLEL := -n auto --maxprocesses 4 --dist worksteal

# By way of the environment, so that quotes and dollars in a prompt are only a prompt.
demo: export DEMO_PROMPT = $(value PROMPT)
demo up: export DARKROOM_QUEUE = $(QUEUE)
demo: $(RUNS_IN)/demo.stamp
	@$(RUNS_IN)/bin/darkroom demo --prompt "$$DEMO_PROMPT"

up: $(RUNS_IN)/demo.stamp
	$(RUNS_IN)/bin/darkroom up $(if $(filter 1,$(FLOWER)),--flower)

test: .venv/dev.stamp
	$(BIN)/pytest $(IN_PARALLEL) -m "not redis and not rabbitmq and not s3 and not browser and not cuda"

test-services: .venv/dev.stamp
	$(BIN)/pytest $(IN_PARALLEL) --dist loadfile -m "redis or rabbitmq or s3 or browser"

test-gpu: .venv/dev.stamp
	$(BIN)/pytest -m cuda

check: .venv/dev.stamp
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest tests/test_house_rules.py

# The same service on ARQ, in an environment with ARQ's own version of redis-py: what that and the queue can change.
# Without upscaling, which no ARQ worker does.
arq: .venv-arq/test.stamp
	DARKROOM_QUEUE=arq .venv-arq/bin/pytest $(IN_PARALLEL) --dist loadfile tests/arq tests/darkroom/messages \
		tests/darkroom/job_store tests/cpu_worker tests/api/test_generate.py tests/api/test_events.py \
		--ignore tests/cpu_worker/upscaling
	$(MAKE) demo QUEUE=arq

format: .venv/dev.stamp
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# What it compares with lives in an environment of its own. What cannot be installed there is reported as not run.
bench: .venv/dev.stamp .venv-peers/peers.stamp
	$(BIN)/python -m benchmarks.batching $(BENCH)

# The same beside an emulated device. Hours; a piece: make bench-emulated BENCH="--short"
bench-emulated: .venv/dev.stamp .venv-peers/peers.stamp
	$(BIN)/python -m benchmarks.emulated $(BENCH)

# The campaign on a card, in pieces. Without one: make gpu REHEARSE=1. Without a network: GPU_PYTHON names a Python that
# has what it takes.
gpu: $(if $(GPU_PYTHON),,.venv/dev.stamp)
	$(or $(GPU_PYTHON),$(BIN)/python) -m benchmarks.gpu $(if $(filter 1,$(REHEARSE)),--rehearse) $(GPU)

# Wheels for a machine with a card and no network. Another Python than 3.12: make gpu-bundle GPU="--python 3.11"
gpu-bundle: .venv/dev.stamp
	$(BIN)/python -m benchmarks.gpu.bundle $(GPU)

# About half an hour on 2 cores. Shorter: make chaos CHAOS="--broker redis --jobs 100 --faults 8 --seconds 60"
chaos: .venv/dev.stamp
	$(BIN)/python -m tests.chaos $(CHAOS)

# Half an hour of load, and whether memory, connections and queues stay flat. Shorter: make soak SOAK="--minutes 20"
soak: .venv/dev.stamp
	$(BIN)/python -m tests.soak $(SOAK)

# Whether the tests notice small faults in what must not fail. Others: make mutants MUTANTS="--seed 3"
mutants: .venv/dev.stamp
	$(BIN)/python -u -m tests.mutants $(MUTANTS)

# Pages that are made from code.
docs: .venv/dev.stamp
	$(BIN)/darkroom settings > docs/settings.md
	$(BIN)/darkroom data > docs/data.md

.venv/bin/python .venv-arq/bin/python:
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Darkroom needs Python 3.11 or newer; this is %s. Name another: make PYTHON=python3.12" % sys.version.split()[0])'
	$(PYTHON) -m venv $(@D:/bin=)

.venv/demo.stamp: .venv/bin/python pyproject.toml
	$(BIN)/pip install --quiet --disable-pip-version-check torch==$(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[celery,gpu,upscale]'
	@touch $@

.venv/dev.stamp: .venv/demo.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[celery,gpu,upscale,dev]'
	@touch $@

# pip keeps what it downloaded for the other environment, so torch comes from this machine where that was made first.
.venv-arq/demo.stamp: .venv-arq/bin/python pyproject.toml
	.venv-arq/bin/pip install --quiet --disable-pip-version-check torch==$(TORCH)
	.venv-arq/bin/pip install --quiet --disable-pip-version-check -e '.[arq,gpu]'
	@touch $@

.venv-arq/test.stamp: .venv-arq/demo.stamp
	.venv-arq/bin/pip install --quiet --disable-pip-version-check -e '.[arq,gpu,test]'
	@touch $@

.venv-peers/peers.stamp: .venv/bin/python benchmarks/requirements-peers.txt
	$(PYTHON) -m venv .venv-peers
	-.venv-peers/bin/pip install --quiet --disable-pip-version-check -r benchmarks/requirements-peers.txt && touch $@

clean:
	rm -rf .venv .venv-arq .venv-peers build *.egg-info
