# The same commands everywhere: on a laptop and in CI.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: demo test lint scan bench tools tools-test bake-local vm-test bake-figures cluster-test clean
.DEFAULT_GOAL := demo

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit("imagegen needs Python 3.11 or newer" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv --clear $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

demo: $(READY)  ## the quickstart: secrets, then everything rendered
	@mkdir -p out
	@test -e out/quickstart.secrets.yaml || $(BIN)/imagegen secrets new examples/quickstart.yaml --secrets out/quickstart.secrets.yaml
	$(BIN)/imagegen render examples/quickstart.yaml --secrets out/quickstart.secrets.yaml --out out

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

test: $(READY) lint  ## everything that needs no machine
	$(BIN)/pytest -n auto --maxprocesses=4 --dist loadfile

scan: $(READY)  ## who holds which secret, on thousands of generated specs; `make test` takes hundreds
	IMAGEGEN_SCAN=$${IMAGEGEN_SCAN:-2500} $(BIN)/pytest tests/properties/test_secrecy.py

bench: $(READY)  ## how long it takes, beside what is under it
	$(BIN)/python -m tools.bench

tools: $(READY)  ## the real components that the tests run, from Go modules, and Debian roots
	$(BIN)/python -m tools.build

tools-test: tools  ## every tool's own checks, with the kubeadm of every minor
	$(BIN)/python -m tools.build --kubeadms
	$(BIN)/pytest -m "tools or kubeadms" tests/tools

bake-local: $(READY)  ## the bake scripts and checks of a SPEC, or the quickstart, in an nspawn machine; as root
	$(BIN)/python -m tools.bake_local $(SPEC)

vm-test: tools  ## a real bake, and the baked image booted under QEMU
	$(BIN)/pytest -m vm --durations=10 -s tests/vm

bake-figures: tools  ## a bake beside the same installs by hand: time and size; a quarter of an hour for each release
	$(BIN)/pytest -m figures -s tests/vm

cluster-test: tools  ## a real cluster out of the baked image; FULL=1: with long waits, many kills, an upgrade;
cluster-test:        ## GROUND=uml: machines with a kernel of their own, for kube-proxy's modes ipvs and nftables, instead
ifeq ($(GROUND),uml)
	$(BIN)/python -m tools.build --only-for uml
	$(BIN)/pytest -m uml --durations=10 tests/uml
else ifneq ($(filter-out nspawn,$(GROUND)),)
	$(error GROUND is nspawn, which is the default, or uml: not $(GROUND))
else
ifeq ($(FULL),1)
	$(BIN)/python -m tools.build --only-for full
endif
	IMAGEGEN_FULL=$(FULL) $(BIN)/pytest -m cluster --durations=30 tests/cluster
endif

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache
