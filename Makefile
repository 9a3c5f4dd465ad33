# The only entry points; CI calls the same ones. `make help` lists them.

SHELL := /bin/bash
.DEFAULT_GOAL := help
.PHONY: help env book pdf test check lab clean lock run sweep bench

PYTHON  ?= python3
PROFILE ?= lite
SEED    ?=
SEEDS   ?= 0 1 2
REASON  ?=
ARGS    ?=
# Of the GPU machine: where the wheels lie, seconds of one call, where it packs what it has made.
WHEELS  ?= _wheels
BUDGET  ?= 540
STATE   ?= _state

VENV := .venv
PY   := $(VENV)/bin/python
# The environment is as good as the lock it was made from: another lock, another stamp.
HASH  := $(shell $(PYTHON) -c "import hashlib; print(hashlib.sha256(open('requirements.lock', 'rb').read()).hexdigest()[:16])")
STAMP := $(VENV)/.stamp-$(HASH)

# Computed pictures and networks stay inside the checkout, so that a fresh clone is really cold.
export GEM_LITE_CACHE ?= $(CURDIR)/.cache
# Where a machine forbids compiled modules, importing torch takes 19 s instead of 7 in every process.
export PYTHONDONTWRITEBYTECODE :=
# Without these two, OpenMP threads that wait for each other on a busy machine train eight times slower.
export OMP_WAIT_POLICY ?= passive
export GOMP_SPINCOUNT  ?= 0
# glibc gives large blocks back to the kernel and fetches them anew at each step: a fifth of a training's time.
export MALLOC_MMAP_THRESHOLD_ ?= 1073741824
export MALLOC_TRIM_THRESHOLD_ ?= 1073741824
export MALLOC_TOP_PAD_        ?= 268435456

help:  ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## / | /' | awk -F' [|] ' '{printf "  make %-16s %s\n", $$1, $$2}'

env: $(STAMP)  ## make .venv from requirements.lock (done by the others when it is stale)

$(STAMP):
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@test -x $(VENV)/bin/uv || $(PY) -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv pip sync --quiet --python $(PY) requirements.lock
	@test -x $(VENV)/bin/uv || $(PY) -m pip install --quiet --disable-pip-version-check uv
	$(VENV)/bin/uv pip install --quiet --python $(PY) --no-deps --editable .
	@rm -f $(VENV)/.stamp-* && touch $@

book: env  ## execute the chapters and build the book: make book PROFILE=lite SEED=0
	$(PY) -m book.builder --profile $(PROFILE) $(if $(SEED),--seed $(SEED)) $(ARGS)

pdf: book  ## the book as one PDF file, printed by Chromium: make pdf PROFILE=lite
	$(PY) -m book.builder.pdf

.PHONY: regress regress-seeds regress-accept reproducibility
regress: env  ## execute what is stale and say which results moved: make regress PROFILE=lite
	$(PY) -m book.regress compare --profile $(PROFILE) $(ARGS)

regress-seeds: env  ## execute the book for several seeds, for the spread: make regress-seeds SEEDS="0 1 2"
	$(PY) -m book.regress seeds --profile $(PROFILE) --seeds $(SEEDS) $(ARGS)

regress-accept: export REASON := $(REASON)
regress-accept: env  ## make the results of now the expected ones: make regress-accept REASON="why"
	$(PY) -m book.regress accept --profile $(PROFILE) --reason "$$REASON" $(ARGS)

reproducibility: env  ## write REPRODUCIBILITY.md from the claims and the expected results
	$(PY) -m book.regress reproducibility

check: env  ## the fast loop: lint, types, unit tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	OMP_NUM_THREADS=1 $(PY) -m pytest -q -n 2 --dist loadfile -m "not slow and not browser and not book" $(ARGS)

test: env  ## everything that CI runs: lint, types, the book, all tests
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(MAKE) book PROFILE=lite
	OMP_NUM_THREADS=1 $(PY) -m pytest -n 2 --dist loadfile $(ARGS)

# The texts travel in the environment: nothing in them means anything to a shell.
run sweep: export SETTINGS = $(if $(filter run,$@),$(PARAMS),$(GRID))
run: env  ## a chapter with other parameters: make run CHAPTER=03_pooling PARAMS='p=5 seed=2'
	$(PY) -m book.runs run "$(CHAPTER)" "$$SETTINGS" --profile $(PROFILE) $(ARGS)

sweep: env  ## a chapter over a grid, table and plot: make sweep CHAPTER=03_pooling GRID='p=1,3,5 seed=0..4'
	$(PY) -m book.runs sweep "$(CHAPTER)" "$$SETTINGS" --profile $(PROFILE) $(if $(RESULTS),--results "$(RESULTS)") $(ARGS)

bench: env  ## run the benchmarks, on a quiet machine, into _build/bench: make bench ARGS="training mining"
	$(PY) tests/benchmarks/run.py $(ARGS)

ablations: env  ## measure what one run of the book cannot afford (3 seeds; hours; resumes)
	$(PY) -m book.ablations $(ARGS)

lab: env  ## open the chapters in JupyterLab
	$(VENV)/bin/jupyter lab --notebook-dir=book

lock:  ## pin the newest allowed versions (for maintainers; needs the package index)
	$(VENV)/bin/uv pip compile --universal --generate-hashes --no-emit-index-url --no-header --python-version 3.11 --upgrade --extra book --extra test --extra faiss --extra onnx pyproject.toml -o requirements.lock

.PHONY: newest linkcheck browser summary wheels gpu ablations
newest: env  ## what CI does every week: the newest allowed versions, everything from nothing (rewrites the lock)
	$(MAKE) lock
	$(MAKE) clean
	$(MAKE) test

linkcheck: book  ## ask for every link that leads out of the book (needs a network)
	$(PY) -m book.builder.linkcheck $(ARGS)

browser:  ## install the Chromium of the browser tests where there is none (Debian, Ubuntu)
	@command -v chromium chromium-browser google-chrome >/dev/null || { \
	  sudo=$$(test "$$(id -u)" = 0 || echo sudo); $$sudo apt-get update -qq && \
	  DEBIAN_FRONTEND=noninteractive $$sudo apt-get install -y -qq --no-install-recommends chromium >/dev/null; }

summary:  ## the last regression report into the summary of a GitHub job, or onto the terminal
	@cat _build/regress/$(PROFILE)/report.md >> "$${GITHUB_STEP_SUMMARY:-/dev/stdout}"

wheels: env  ## what the chapters need beside torch, for a machine without a network: make wheels WHEELS=_wheels
	$(PY) -m book.gpu.wheels $(WHEELS) $(ARGS)

gpu:  ## the gpu profile on a machine with torch and without a network, for BUDGET seconds; again until all is done
	$(PYTHON) -m book.gpu --profile gpu $(if $(wildcard $(WHEELS)),--wheels $(WHEELS)) --budget $(BUDGET) --state $(STATE) $(ARGS)

clean:  ## remove what was built and computed; keeps the environment
	rm -rf _build .cache build figures/rendered .pytest_cache .mypy_cache .ruff_cache .hypothesis
