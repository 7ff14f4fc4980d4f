# Experiments on recurrent networks. `make help` lists the targets.
#
#   ARGS    options of an experiment:  make forecast ARGS="--data cta --size full"
#   PYTHON  the Python that makes the virtual environment, 3.10 to 3.13
#   WORKERS processes of the -multiworker and -tune targets
#   VENV    its folder; empty to use PYTHON as it is, with what it has installed:
#           make VENV= forecast

PYTHON ?= python3
VENV ?= .venv
ARGS ?=
WORKERS ?= 2

EXPERIMENTS := stacked gradients lengths language translate forecast sketch generate video
PARTS := forecast language translate sketch search strokes clips lengths start limit jobs

# The interpreter that runs everything, and the stamps that say what it has installed.
ifneq ($(VENV),)
RUN := $(VENV)/bin/python
READY := $(VENV)/.ready
DEV_READY := $(VENV)/.dev-ready
JAX_READY := $(VENV)/.jax-ready
else
RUN := $(PYTHON)
endif

.DEFAULT_GOAL := help
.PHONY: help setup jax results draw summary answers report readme modes facts devices test test-long lint clean \
	bench bench-scaling $(PARTS:%=bench-%) $(EXPERIMENTS) $(EXPERIMENTS:%=%-tune) $(EXPERIMENTS:%=%-multiworker)

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-20s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(READY) ## the virtual environment; the others make it too

jax: $(READY) $(JAX_READY) ## install the JAX engine too, for KERAS_BACKEND=jax

results: $(READY) ## every experiment, quick; the answers; one page
	@$(RUN) -m experiments $(ARGS)

stacked: $(READY) ## which layers return sequences, and what depth buys
	@$(RUN) -m experiments.stacked $(ARGS)

modes: $(READY) ## ways to use a sequence: one small training for each
	@$(RUN) -m experiments.modes $(ARGS)

gradients: $(READY) ## what vanishes, what explodes, what helps
	@$(RUN) -m experiments.gradients $(ARGS)

lengths: $(READY) ## padding, masks, static and dynamic loops, and their cost
	@$(RUN) -m experiments.lengths $(ARGS)

language: $(READY) ## the next character or word: n-grams against RNNs
	@$(RUN) -m experiments.language $(ARGS)

translate: $(READY) ## sequences into others: encoder-decoders, attention, beams
	@$(RUN) -m experiments.translate $(ARGS)

forecast: $(READY) ## the next seven days of a daily series
	@$(RUN) -m experiments.forecast $(ARGS)

sketch: $(READY) ## classify drawings, stroke by stroke
	@$(RUN) -m experiments.sketch $(ARGS)

generate: $(READY) ## draw from a class, point by point
	@$(RUN) -m experiments.generate $(ARGS)

video: $(READY) ## classify clips: a CNN per frame, an RNN over frames
	@$(RUN) -m experiments.video $(ARGS)

forecast-tune: ## its trials, over WORKERS processes; also sketch-tune
$(EXPERIMENTS:%=%-tune): %-tune: $(READY)
	@$(RUN) -m rnn_tf.devices.launch --workers $(WORKERS) --tune experiments.$* $(ARGS)

forecast-multiworker: ## by WORKERS processes in step; also sketch-...
$(EXPERIMENTS:%=%-multiworker): %-multiworker: $(READY)
	@$(RUN) -m rnn_tf.devices.launch --workers $(WORKERS) experiments.$* $(ARGS)

facts: $(READY) ## the exact claims: a small function each, and a page
	@$(RUN) -m experiments.facts $(ARGS)

devices: $(READY) ## do one, two replicas and two workers train the same?
	@$(RUN) -m experiments.devices $(ARGS)

bench: $(READY) ## side by side with stock Keras, JAX, PyTorch, OpenCV
	@$(RUN) -m benchmarks $(ARGS)

bench-forecast: ## a part of it; also bench-strokes, -clips, -lengths
$(PARTS:%=bench-%): bench-%: $(READY)
	@$(RUN) -m benchmarks --parts $* $(ARGS)

bench-scaling: $(READY) ## what a second replica or worker is worth, in minutes
	@$(RUN) -m benchmarks.scaling $(ARGS)

draw: $(READY) ## results/draw.html: you draw, networks guess and draw on
	@$(RUN) -m experiments.draw $(ARGS)

summary: $(READY) ## rebuild results/summary.csv and print the tables
	@$(RUN) -m rnn_tf.report.summary $(ARGS)

answers: $(READY) ## the course's claims, each with its measured verdict
	@$(RUN) -m rnn_tf.claims.answers $(ARGS)

report: $(READY) ## results/report.html: all runs on one page
	@$(RUN) -m rnn_tf.report.page $(ARGS)

readme: $(READY) ## the tables of the READMEs, from the reference runs
	@$(RUN) -m rnn_tf.report.readme $(ARGS)

test: $(READY) $(DEV_READY) $(JAX_READY) ## run the tests
	@$(RUN) -m pytest -n auto --dist loadfile $(ARGS)

test-long: $(READY) $(DEV_READY) $(JAX_READY) ## run those that take minutes each
	@$(RUN) -m pytest -n auto --dist loadfile -m long --timeout 900 $(ARGS)

lint: $(READY) $(DEV_READY) ## check style and format
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

clean: ## remove the virtual environment and caches
	rm -rf .venv .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

ifneq ($(VENV),)
$(READY): requirements.txt
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 10) <= v <= (3, 13) or \
	sys.exit("error: this is Python %d.%d and TensorFlow needs 3.10 to 3.13; try: make PYTHON=python3.12" % v)'
	@echo "installing into $(VENV), which takes a minute or two ..."
	@$(PYTHON) -m venv $(VENV)
	@$(RUN) -m pip install --quiet --upgrade pip  # Python 3.10's resolves for many minutes
	@$(RUN) -m pip install --quiet --no-compile -r requirements.txt
	@$(RUN) -m compileall -qq -j 0 $(VENV)/lib || true  # on all cores, where pip takes one
	@touch $@

$(DEV_READY): requirements-dev.txt $(READY)
	@$(RUN) -m pip install --quiet -r requirements-dev.txt
	@touch $@

$(JAX_READY): requirements-jax.txt $(READY)
	@$(RUN) -m pip install --quiet -r requirements-jax.txt
	@touch $@
endif
