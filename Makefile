# Needs Python 3.11 or newer and make; everything else is installed into .venv.
#
#   make lab            open the course in JupyterLab    (JUPYTER_ARGS="--no-browser --port 9999")
#   make test           everything that must hold before a change goes in
#   make lint           style and spelling alone
#   make notebooks      execute the lessons again and store their outputs
#   make bench          speed, as ratios to PyTorch
#   make requirements   compute the pinned requirements again    (UV_ARGS=--upgrade for new versions)

.PHONY: lab test lint notebooks bench requirements
.DELETE_ON_ERROR:

JUPYTER_ARGS ?=
UV_ARGS ?=
BIN := .venv/bin
PIP_INSTALL := -m pip --disable-pip-version-check install --quiet
UV_COMPILE = .venv-uv/bin/uv pip compile $(UV_ARGS) --quiet --universal --fork-strategy fewest \
	--python-version 3.11 --custom-compile-command "make requirements"
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11, \
	$(shell $(name) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(name))) python3)

define MAKE_VENV
$(PYTHON) -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	echo "cnnbp needs Python 3.11 or newer, but \"$(PYTHON)\" is" \
		"$$($(PYTHON) --version 2>&1 || true)."; \
	echo "Install one from https://www.python.org/downloads/ or name yours:" \
		"make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; exit 1; }; \
make_venv() { $(PYTHON) -m venv --clear $$1 || { rm -rf $$1; \
	echo "Python could not make a virtual environment; its message is above."; \
	echo "On Debian and Ubuntu: sudo apt install python3-venv"; exit 1; }; }; make_venv
endef

lab: .venv/.lab
	@$(BIN)/jupyter trust notebooks/*.ipynb >/dev/null
	$(BIN)/jupyter lab $(JUPYTER_ARGS) notebooks/00_start_here.ipynb

test: .venv/.dev lint
	$(BIN)/python -m pytest
	$(BIN)/python -m pytest --nbval notebooks
	$(BIN)/python -m pytest --nbval notebooks

lint: .venv/.dev
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/codespell

notebooks: .venv/.dev
	$(BIN)/python tools/notebooks.py notebooks/*.ipynb

bench: .venv-bench/.bench
	.venv-bench/bin/python tests/benchmarks/run.py

requirements: .venv-uv/.uv
	$(UV_COMPILE) pyproject.toml -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra dev -c requirements.txt -o requirements-dev.txt
	$(UV_COMPILE) binder/requirements.in -c requirements.txt -o binder/requirements.txt

# What `make lab` stands on: the pinned packages, this package, and JupyterLab's settings.
.venv/.lab: $(BIN)/python requirements.txt pyproject.toml binder/labconfig/*.json
	@echo "Installing what the course needs into .venv (about a minute, once) ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements.txt
	@$(BIN)/python $(PIP_INSTALL) --no-deps -e .
	@mkdir -p .venv/etc/jupyter/labconfig
	@cp binder/labconfig/*.json .venv/etc/jupyter/labconfig/
	@touch $@

.venv/.dev: .venv/.lab requirements-dev.txt
	@echo "Installing what the tests need into .venv (once) ..."
	@$(BIN)/python $(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

.venv-bench/.bench: requirements.txt
	@$(MAKE_VENV) .venv-bench
	@echo "Installing PyTorch into .venv-bench (once) ..."
	@.venv-bench/bin/python $(PIP_INSTALL) -c requirements.txt numpy tqdm torch==2.13.0
	@.venv-bench/bin/python $(PIP_INSTALL) --no-deps -e .
	@touch $@

.venv-uv/.uv:
	@$(MAKE_VENV) .venv-uv
	@.venv-uv/bin/python $(PIP_INSTALL) uv
	@touch $@

$(BIN)/python:
	@$(MAKE_VENV) .venv
