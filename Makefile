# Set-up goes into .venv, once; every target does it by itself. `make help` lists the targets.
PYTHON ?= python3
VENV = .venv
EXTRAS = dev
LOGS = logs
BIN := $(VENV)/bin
DEPENDENCIES := setup.cfg pyproject.toml constraints.txt
comma := ,
installed = $(VENV)/.installed-$(subst $(comma),-,$(1))
# make train VARIANT=cnn-38k DATA=fashion_mnist EPOCHS=5; what the environment happens to call DATA or DEVICE is not meant
given = $(if $(filter command,$(firstword $(origin $(1)))),$(2) '$($(1))')
TRAIN = $(call given,VARIANT) --logs '$(LOGS)' $(call given,DATA,--data) $(call given,ORIGINALS,--originals) $(call given,EPOCHS,--epochs) \
	$(call given,BATCH_SIZE,--batch-size) $(call given,SEED,--seed) $(call given,DEVICE,--device) $(ARGS)

# A typing mistake must not cost a full run: make itself takes any variable.
KNOWN := PYTHON VENV EXTRAS LOGS ROWS SEEDS VARIANT DATA ORIGINALS EPOCHS BATCH_SIZE SEED DEVICE ARGS
UNKNOWN := $(foreach v,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(v)))),$(filter-out $(KNOWN) -*-%,$(v))))
$(if $(strip $(UNKNOWN)),$(error unknown variable $(strip $(UNKNOWN)): known are $(KNOWN)))

.DEFAULT_GOAL := help
.PHONY: help install train reproduce test test-slow test-cpu test-lowest coverage soak lint format tensorboard jupyter notebooks bench bench-scale constraints audit clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/\1\t\2/' | expand -t 14
	@echo "Variables go behind the target: make train VARIANT=cnn-38k DATA=fashion_mnist EPOCHS=5"
	@echo "  $(KNOWN)"

$(VENV)/.installed-%: $(DEPENDENCIES)
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 13))' || \
		{ echo "lenet_tf needs Python 3.10 to 3.13, and $(PYTHON) is $$($(PYTHON) --version). Try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@echo "Installing lenet_tf[$*] into $(VENV): TensorFlow is large, this takes a minute or more, once."
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(subst -,$(comma),$*)]'
	@touch $@

install: $(call installed,$(EXTRAS)) ## set up .venv (EXTRAS=dev,gpu for an NVIDIA GPU)

train: install ## train LeNet-5 on MNIST, with logs and a run folder in logs/
	@$(BIN)/lenet-tf train $(TRAIN)

reproduce: install ## make the runs of the reproduction table anew and compare (hours; ROWS="lenet1 lenet4" for some, SEEDS=2 for fewer)
	@$(BIN)/lenet-tf reproduce $(if $(filter command,$(firstword $(origin ROWS))),$(ROWS)) $(call given,SEEDS,--seeds) --logs '$(LOGS)' $(call given,ORIGINALS,--originals) $(ARGS)

# Two processes: TensorFlow takes one core for most of a test, and each of them 2 GB. ARGS="-n 0" runs them in one.
PYTEST = -m pytest -n logical --maxprocesses 2 --dist worksteal

test: install ## run the tests, but for those that take long
	@$(BIN)/python $(PYTEST) -m "not slow" $(ARGS)

test-slow: install ## run the tests that take long
	@$(BIN)/python $(PYTEST) -m slow $(ARGS)

test-cpu: install ## run what depends on the processor with oneDNN off, on, and limited to AVX2
	@$(BIN)/python .ci/test_cpu.py $(PYTEST) $(ARGS)

test-lowest: $(VENV)-lowest/.installed ## run all tests with the oldest versions that setup.cfg allows, in an environment of their own
	@$(VENV)-lowest/bin/python $(PYTEST) $(ARGS)

# No pins here. Wheels only, since an oldest version from before this Python would have to be compiled; promise has never had a wheel.
$(VENV)-lowest/.installed: setup.cfg pyproject.toml
	@$(PYTHON) -m venv --clear $(VENV)-lowest
	@$(VENV)-lowest/bin/python -m pip install --quiet --disable-pip-version-check uv
	@echo "Installing the oldest versions that setup.cfg allows into $(VENV)-lowest: TensorFlow is large, this takes a minute or more, once."
	@$(VENV)-lowest/bin/uv pip install --quiet --python $(VENV)-lowest/bin/python --resolution lowest-direct \
		--only-binary :all: --no-binary promise --no-binary lenet-tf -e '.[dev,notebooks]'
	@touch $@

coverage: install ## run the tests of make test and print how many lines of lenet_tf they reach (ARGS="tests/test_specs.py" for some)
	@$(BIN)/python $(PYTEST) -m "not slow" --cov=lenet_tf --cov-report=term $(ARGS)

soak: $(call installed,dev-soak) ## kill runs, fill disks, feed every reader files that lie (two hours; a full disk needs root)
	@$(BIN)/python soak/disasters.py
	@$(BIN)/python soak/kills.py --kills 60
	@$(BIN)/python soak/fuzz.py --runs 100000
	@$(BIN)/python soak/fuzz_keras.py --runs 100000

lint: install ## check style, formatting, types and the direction of imports
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-logo

format: install ## mend style and formatting
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

tensorboard: install ## show all runs in the browser
	@TF_CPP_MIN_LOG_LEVEL=3 $(BIN)/tensorboard --logdir '$(LOGS)' $(ARGS)

jupyter: $(call installed,dev-notebooks) ## open the notebooks in JupyterLab
	@$(BIN)/jupyter lab $(ARGS) notebooks/01-images.ipynb

notebooks: $(call installed,dev-notebooks) ## run all notebooks anew from clean kernels, and the answers to their exercises (ARGS=notebooks/… for one)
	@$(BIN)/python notebooks/run.py $(ARGS)

bench: install $(VENV)-bench/.installed ## measure start-up, an epoch beside the tutorial, PyTorch and JAX, and the fast recipe (an hour or more, quiet)
	@$(BIN)/python benchmarks/startup.py
	@$(BIN)/python benchmarks/step_profile.py
	@$(BIN)/python benchmarks/choices.py
	@$(BIN)/python benchmarks/speed.py $(VENV)-bench/bin/python $(ARGS)
	@$(BIN)/python benchmarks/fast.py

bench-scale: install ## measure epochs of 60,000 to 6,000,000 images (half an hour, 5 GB of disk)
	@$(BIN)/python benchmarks/scale.py $(ARGS)

$(VENV)-bench/.installed: benchmarks/requirements.txt
	@$(PYTHON) -m venv --clear $(VENV)-bench
	@$(VENV)-bench/bin/python -m pip install --quiet --disable-pip-version-check -r benchmarks/requirements.txt
	@touch $@

constraints: install ## choose the newest versions again and pin them
	@$(BIN)/python -m pip install --quiet uv
	@$(BIN)/uv pip compile --quiet --universal --python-version 3.10 --all-extras --no-annotate --no-header setup.cfg -o constraints.new
	@{ head -2 constraints.txt; cat constraints.new; } > constraints.newer && mv constraints.newer constraints.txt && rm constraints.new

audit: $(VENV)-audit/.installed ## check the pinned versions for known vulnerabilities (fails where that is unknown)
	@$(VENV)-audit/bin/pip-audit --strict --no-deps --disable-pip --progress-spinner off -r constraints.txt $(ARGS)

$(VENV)-audit/.installed:
	@$(PYTHON) -m venv --clear $(VENV)-audit
	@$(VENV)-audit/bin/python -m pip install --quiet --disable-pip-version-check 'pip-audit >= 2.10'
	@touch $@

clean: ## remove what was installed and built, but no run
	rm -rf $(VENV) $(VENV)-bench $(VENV)-lowest $(VENV)-audit build dist *.egg-info .pytest_cache .ruff_cache \
		.mypy_cache .import_linter_cache .coverage .coverage.*
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
