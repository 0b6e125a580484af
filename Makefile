# Every target first sets up .venv if it has to. `make help` lists the targets.
PYTHON ?= python3
VENV = .venv
EXTRAS = dev
LOGS = logs
BIN := $(VENV)/bin
DEPENDENCIES := setup.cfg pyproject.toml constraints.txt
comma := ,
PIP_INSTALL := -m pip install --quiet --disable-pip-version-check
installed = $(VENV)/.installed-$(subst $(comma),-,$(1))
# Only the command line sets variables: the environment may use DATA or DEVICE for other things.
is_set = $(filter command,$(firstword $(origin $(1))))
option = $(if $(is_set),$(2) '$($(1))')
TRAIN = $(call option,VARIANT) --logs '$(LOGS)' $(call option,DATA,--data) \
	$(call option,ORIGINALS,--originals) $(call option,EPOCHS,--epochs) \
	$(call option,BATCH_SIZE,--batch-size) $(call option,SEED,--seed) \
	$(call option,DEVICE,--device) $(ARGS)
REPRODUCE = $(if $(call is_set,ROWS),$(ROWS)) $(call option,SEEDS,--seeds) --logs '$(LOGS)' \
	$(call option,ORIGINALS,--originals) $(ARGS)

# make accepts any variable, so a typing mistake would start a full run with the defaults.
KNOWN := PYTHON VENV EXTRAS LOGS ROWS SEEDS VARIANT DATA ORIGINALS EPOCHS BATCH_SIZE SEED DEVICE \
	ARGS
GIVEN := $(foreach name,$(.VARIABLES),$(if $(call is_set,$(name)),$(name)))
UNKNOWN := $(strip $(filter-out $(KNOWN) -*-%,$(GIVEN)))
$(if $(UNKNOWN),$(error unknown variable $(UNKNOWN): choose from $(KNOWN)))

.DEFAULT_GOAL := help
.PHONY: help install train reproduce presets page test test-slow test-cpu test-lowest test-wheel coverage \
	soak lint format tensorboard jupyter notebooks bench bench-gpu bench-scale constraints audit clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14
	@echo "Variables follow the target: make train VARIANT=cnn-38k DATA=fashion_mnist EPOCHS=5"
	@echo "  $(KNOWN)"

$(VENV)/.installed-%: $(DEPENDENCIES)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "Error: lenet_tf needs Python 3.10 to 3.13, and $(PYTHON) is $$($(PYTHON) --version)." \
			"Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing lenet_tf[$*] into $(VENV). This takes minutes, but only once."
	@$(BIN)/python $(PIP_INSTALL) -c constraints.txt -e '.[$(subst -,$(comma),$*)]'
	@touch $@

install: $(call installed,$(EXTRAS)) ## set up .venv (EXTRAS=dev,gpu for an NVIDIA GPU)

train: install ## train LeNet-5 on MNIST and write a run folder to logs/
	@$(BIN)/lenet-tf train $(TRAIN)

reproduce: install ## repeat the runs of the results table (hours; ROWS="lenet1 lenet4" SEEDS=2)
	@$(BIN)/lenet-tf reproduce $(REPRODUCE)

presets: install ## train the networks of the package anew (20 minutes; ARGS=lenet1-mnist for one)
	@$(BIN)/python -m lenet_tf.reproduce.make_presets --logs '$(LOGS)' \
		$(call option,ORIGINALS,--originals) $(ARGS)

page: install ## write the published page, docs/page/index.html, of three presets
	@mkdir -p docs/page
	@$(BIN)/lenet-tf page --output docs/page/index.html --data mnist \
		$(call option,ORIGINALS,--originals) $(ARGS)

# Two processes, since each takes a core and 2 GB. ARGS="-n 0" runs the tests in one process.
PYTEST = -m pytest -n logical --maxprocesses 2 --dist worksteal

test: install ## run the fast tests
	@$(BIN)/python $(PYTEST) -m "not slow" $(ARGS)

test-slow: install ## run the slow tests
	@$(BIN)/python $(PYTEST) -m slow $(ARGS)

test-cpu: install ## run processor-dependent tests with oneDNN off, on and limited to AVX2
	@$(BIN)/python .ci/test_cpu.py $(PYTEST) $(ARGS)

test-lowest: $(VENV)-lowest/.installed ## run all tests with the oldest supported versions
	@$(VENV)-lowest/bin/python $(PYTEST) $(ARGS)

# Only wheels: an old version without one for this Python would be compiled. promise never had a
# wheel.
$(VENV)-lowest/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -m venv --clear $(VENV)-lowest
	@$(VENV)-lowest/bin/python $(PIP_INSTALL) uv
	@echo "Installing the oldest supported versions into $(VENV)-lowest. This takes minutes."
	@$(VENV)-lowest/bin/uv pip install --quiet --python $(VENV)-lowest/bin/python \
		--resolution lowest-direct --only-binary :all: --no-binary promise --no-binary lenet-tf -e '.[dev,notebooks]'
	@touch $@

test-wheel: ## install the wheel into a clean environment and follow the README there
	@$(PYTHON) .ci/test_wheel.py $(ARGS)

coverage: install ## run the fast tests and print the line coverage
	@$(BIN)/python $(PYTEST) -m "not slow" --cov=lenet_tf --cov-report=term $(ARGS)

soak: $(call installed,dev-soak) ## kill runs, fill disks, feed readers damaged files (hours)
	@$(BIN)/python soak/disasters.py
	@$(BIN)/python soak/kills.py --kills 60
	@$(BIN)/python soak/fuzz.py --runs 100000
	@$(BIN)/python soak/fuzz_keras.py --runs 100000
	@$(BIN)/python soak/fuzz_runs.py --runs 2000
	@$(BIN)/python soak/fit_in_threads.py --starts 100

lint: install ## check style, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: install ## fix style and formatting
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

tensorboard: install ## show all runs in the browser
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/tensorboard --logdir '$(LOGS)' $(ARGS)

jupyter: $(call installed,dev-notebooks) ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab $(ARGS) notebooks/01-images.ipynb

notebooks: $(call installed,dev-notebooks) ## run all notebooks and their answers (ARGS=notebooks/… for one)
	@$(BIN)/python notebooks/run.py $(ARGS)

bench: install $(VENV)-bench/.installed ## measure start-up, epochs and other frameworks (an hour)
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/predict.py
	@$(BIN)/python benchmarks/page.py
	@$(BIN)/python benchmarks/step_profile.py
	@$(BIN)/python benchmarks/choices.py
	@$(BIN)/python benchmarks/speed.py $(VENV)-bench/bin/python $(ARGS)
	@$(BIN)/python benchmarks/fast.py

bench-scale: install ## measure epochs of up to 60,000,000 images (half an hour, 5 GB of disk)
	@$(BIN)/python benchmarks/scale.py $(ARGS)

bench-gpu: install ## measure training on a GPU (under five minutes; ARGS=--quick tries it without)
	@$(BIN)/python benchmarks/gpu.py $(ARGS)

$(VENV)-bench/.installed: benchmarks/requirements.txt
	@$(PYTHON) -m venv --clear $(VENV)-bench
	@$(VENV)-bench/bin/python $(PIP_INSTALL) -r benchmarks/requirements.txt
	@touch $@

constraints: install ## pin the newest versions of all dependencies
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --no-annotate \
		--no-header setup.cfg -o constraints.new
	@{ head -2 constraints.txt; cat constraints.new; } > constraints.newer
	@mv constraints.newer constraints.txt && rm constraints.new

audit: $(VENV)-audit/.installed ## check the pinned versions for known vulnerabilities
	@$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off \
		-r constraints.txt $(ARGS)

$(VENV)-audit/.installed:
	@$(PYTHON) -m venv --clear $(VENV)-audit
	@$(VENV)-audit/bin/python $(PIP_INSTALL) 'pip-audit >= 2.10'
	@touch $@

clean: ## remove the environments and build files, but no runs
	rm -rf $(VENV) $(VENV)-bench $(VENV)-lowest $(VENV)-audit build dist *.egg-info \
		.pytest_cache .ruff_cache .mypy_cache .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
