# Needs Python 3.11 or newer and make; everything else is installed into .venv.
#
#   make lab            open the course in JupyterLab    (JUPYTER_ARGS="--no-browser --port 9999")
#   make test           everything that must hold before a change goes in
#   make browser        what needs a browser: pictures, explorers, questions, web pages
#   make binder         Binder's image as an environment: every lesson shows there what is stored
#   make oldlab         the explorers in the oldest JupyterLab that the course takes
#   make lint           style and spelling alone
#   make notebooks      execute the lessons again and store what they show
#   make site           the lessons as web pages and to be run in a browser    (PYODIDE=folder)
#   make lite           every lesson run in a browser, with the network shut
#   make docs           draw the README's pictures again, and count the instructors' table
#   make photographs    cut the photo patches out of their photograph again
#   make deepruns       train lesson 12's deep networks again and store how they did
#   make references     ask PyTorch and TensorFlow again, in an environment of their own
#   make grading        the recipes for graders, tried with nbgrader and Otter-Grader
#   make load           a class at once, on a hub on this machine    (LEARNERS=20)
#   make torch          from_torch, the operations and lesson 16's lines, asked of PyTorch itself
#   make bench          speed, as ratios to PyTorch; what a slider, a key, a diagnosis, a page and a lesson cost
#   make requirements   pin the packages again    (UV_ARGS=--upgrade takes the newest)

.PHONY: lab test browser binder oldlab lint notebooks site lite docs photographs deepruns references grading load torch bench requirements
.DELETE_ON_ERROR:

JUPYTER_ARGS ?=
UV_ARGS ?=
LEARNERS ?= 20

# The arrays here are small: a second thread slows their products down, and how many threads
# there are changes the last bits of a sum.
OPENBLAS_NUM_THREADS ?= 1
OMP_NUM_THREADS ?= 1
export OPENBLAS_NUM_THREADS OMP_NUM_THREADS

NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(firstword $(foreach name,python3 python3.13 python3.12 python3.11, \
	$(shell $(name) -c '$(NEW_ENOUGH)' 2>/dev/null && echo $(name))) python3)
PIP_INSTALL := bin/python -m pip --disable-pip-version-check install --quiet
PIP_DOWNLOAD := bin/python -m pip --disable-pip-version-check download --quiet --no-deps

lab: .venv/.lab
	@.venv/bin/cnnbp $(JUPYTER_ARGS)

# What takes seconds comes first. A fresh kernel must show the stored outputs; that they come again
# is asked by tests/test_lesson_rules.py, which executes every lesson in a process of its own and
# holds it to the same outputs. Browser tests come last and keep the processor to themselves.
test: .venv/.dev lint
	.venv/bin/python -m pytest --nbval -n 2 --dist loadfile notebooks
	.venv/bin/python -m pytest -n 2 --ignore=tests/browser
	@$(MAKE) --no-print-directory browser

# A file stays with one process: its tests share what is open, and some go on where others ended.
browser: .venv/.dev
	.venv/bin/python -m pytest -n 2 --dist loadfile tests/browser

binder: .venv/.dev
	.venv/bin/python -m pytest -m apart tests/test_binder.py

# The newest JupyterLab is in `make test`.
oldlab: .venv/.dev .venv-oldlab/.ready
	LAB_PYTHON=.venv-oldlab/bin/python .venv/bin/python -m pytest -n 2 --dist loadfile \
		tests/browser --ignore=tests/browser/test_site.py

lint: .venv/.dev
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/codespell

notebooks: .venv/.dev
	.venv/bin/python tools/notebooks.py notebooks/*.ipynb

site: .venv/.dev .venv-lite/.ready
	.venv/bin/python tools/website.py site notebooks/*.ipynb
	.venv-lite/bin/python tools/lite.py site/lite

# A process takes one test at a time: some lessons take five times as long as others.
lite: .venv/.dev .venv-lite/.pyodide
	REQUIRE_BROWSER=1 .venv/bin/python -m pytest -m apart -n 2 --maxschedchunk=1 tests/lite

docs: .venv/.dev
	.venv/bin/python tools/docs_pictures.py
	.venv/bin/python tools/instructors.py

photographs: .venv/.dev
	.venv/bin/python tools/photo_patches.py

deepruns: .venv/.dev
	.venv/bin/python tools/deep_runs.py

references: .venv-references/.ready
	.venv-references/bin/python tests/references/make_references.py

grading: .venv-grading/.ready .venv/.dev
	REQUIRE_GRADERS=1 .venv/bin/python -m pytest tests/grading

load: .venv-hub/.ready .venv/.dev
	.venv-hub/bin/python tests/load/run.py --learners $(LEARNERS)
	REQUIRE_HUB=1 .venv/bin/python -m pytest tests/load

torch: .venv-bench/.ready
	REQUIRE_TORCH=1 .venv-bench/bin/python -m pytest tests/test_from_torch.py \
		tests/test_live_torch.py tests/test_frameworks.py

bench: .venv-bench/.ready .venv/.dev
	OPENBLAS_NUM_THREADS=1 .venv-bench/bin/python tests/benchmarks/run.py
	.venv/bin/python tests/benchmarks/explorers.py
	.venv/bin/python tests/benchmarks/diagnosis.py
	PYTHONPATH=tests .venv/bin/python tests/benchmarks/key_press.py
	PYTHONPATH=tests .venv/bin/python tests/benchmarks/pointer.py
	PYTHONPATH=tests:tools .venv/bin/python tests/benchmarks/first_paint.py
	.venv/bin/python tests/benchmarks/lessons.py notebooks/*.ipynb

# From 4.25 on, jsonschema reads a grammar whenever it is imported: JupyterLab, and every process of
# the tests, would start three seconds later.
QUICK_TO_START = --upgrade-package "jsonschema<4.25"

UV_COMPILE = .venv-uv/bin/uv pip compile $(UV_ARGS) $(QUICK_TO_START) --quiet --universal \
	--fork-strategy fewest --python-version 3.11 --custom-compile-command "make requirements"

# The kernel's Python is Pyodide's. JupyterLite has a widgetsnbextension of its own, which is empty.
UV_COMPILE_FOR_THE_BROWSER = .venv-uv/bin/uv pip compile $(UV_ARGS) --quiet \
	--python-version 3.14 --python-platform wasm32-pyodide2025 \
	--no-emit-package widgetsnbextension --custom-compile-command "make requirements"

requirements: .venv-uv/.ready
	$(UV_COMPILE) pyproject.toml --extra lab -o requirements.txt
	$(UV_COMPILE) pyproject.toml --extra lab --extra dev -c requirements.txt -o requirements-dev.txt
	$(UV_COMPILE) binder/requirements.in -c requirements.txt -o binder/requirements.txt
	$(UV_COMPILE) deploy/requirements.in -c requirements.txt -o deploy/requirements.txt
	$(UV_COMPILE) deploy/lite/requirements.in -c requirements.txt -o deploy/lite/requirements.txt
	$(UV_COMPILE_FOR_THE_BROWSER) deploy/lite/kernel.in -c requirements.txt -o deploy/lite/kernel.txt
	$(UV_COMPILE) tests/grading/requirements.in -c requirements.txt -o tests/grading/requirements.txt

# An empty environment, or what to do where Python cannot make one.
define MAKE_VENV
@python="$(PYTHON)"; \
$$python -c '$(NEW_ENOUGH)' 2>/dev/null || { \
	echo "This course needs Python 3.11 or newer; $$python is" \
		"$$($$python --version 2>/dev/null || echo missing)."; \
	echo "Install one (python.org has it), or name yours:" \
		"make $(MAKECMDGOALS) PYTHON=/path/to/python3.12"; \
	exit 1; }; \
$$python -m venv --clear $(1) || { \
	rm -rf $(1); \
	echo "$$python could not make a virtual environment, see above."; \
	echo "On Debian and Ubuntu, install it with: sudo apt install python3-venv"; \
	exit 1; }
endef

.venv/bin/python:
	$(call MAKE_VENV,.venv)

# What `make lab` needs: the pinned packages, this package, and matplotlib's font cache, whose
# making would otherwise be announced in a lesson.
.venv/.lab: .venv/bin/python requirements.txt pyproject.toml setup.py
	@echo "Installing what the course needs into .venv; this takes a minute, once."
	@.venv/$(PIP_INSTALL) -r requirements.txt
	@.venv/$(PIP_INSTALL) --no-deps -e .
	@.venv/bin/python -c "import matplotlib.font_manager"
	@touch $@

.venv/.dev: .venv/.lab requirements-dev.txt
	@echo "Installing what the tests need into .venv; this takes half a minute, once."
	@.venv/$(PIP_INSTALL) -r requirements-dev.txt
	@touch $@

.venv-bench/.ready: requirements-dev.txt
	$(call MAKE_VENV,.venv-bench)
	@echo "Installing PyTorch into .venv-bench; this takes minutes, once."
	@.venv-bench/$(PIP_INSTALL) -c requirements-dev.txt numpy tqdm torch==2.13.0 \
		hypothesis jupyter-client nbformat pytest
	@.venv-bench/$(PIP_INSTALL) --no-deps -e .
	@touch $@

# TensorFlow names a numpy of its own, which the course's pins may exclude.
.venv-references/.ready:
	$(call MAKE_VENV,.venv-references)
	@echo "Installing PyTorch and TensorFlow into .venv-references; this takes minutes, once."
	@.venv-references/$(PIP_INSTALL) torch==2.13.0 tensorflow-cpu==2.21.0
	@.venv-references/$(PIP_INSTALL) --no-deps -e .
	@touch $@

.venv-oldlab/.ready: requirements.txt pyproject.toml
	$(call MAKE_VENV,.venv-oldlab)
	@echo "Installing JupyterLab 4.4 into .venv-oldlab; this takes a minute, once."
	@.venv-oldlab/$(PIP_INSTALL) "jupyterlab==4.4.*" "ipywidgets==8.1.7" numpy matplotlib tqdm
	@touch $@

.venv-grading/.ready: requirements.txt tests/grading/requirements.txt
	$(call MAKE_VENV,.venv-grading)
	@echo "Installing nbgrader and Otter-Grader into .venv-grading; this takes two minutes, once."
	@.venv-grading/$(PIP_INSTALL) -r requirements.txt -r tests/grading/requirements.txt
	@.venv-grading/$(PIP_INSTALL) --no-deps -e .
	@touch $@

# The hub's proxy is a program for Node.js; nothing of it is installed elsewhere.
.venv-hub/.ready: requirements.txt deploy/requirements.txt
	@command -v npm >/dev/null || { \
		echo "A hub needs Node.js 20 or newer with npm (nodejs.org has it)."; exit 1; }
	$(call MAKE_VENV,.venv-hub)
	@echo "Installing JupyterHub into .venv-hub; this takes a minute, once."
	@.venv-hub/$(PIP_INSTALL) -r requirements.txt -r deploy/requirements.txt
	@.venv-hub/$(PIP_INSTALL) --no-deps -e .
	@npm install --silent --no-fund --no-audit --prefix .venv-hub configurable-http-proxy@5.3.0
	@touch $@

# The wheels are for Python in a browser, whatever runs here.
.venv-lite/.ready: deploy/lite/requirements.txt deploy/lite/kernel.txt
	$(call MAKE_VENV,.venv-lite)
	@echo "Installing JupyterLite into .venv-lite; this takes a minute, once."
	@.venv-lite/$(PIP_INSTALL) -r deploy/lite/requirements.txt
	@.venv-lite/$(PIP_INSTALL) --no-deps -e .
	@.venv-lite/$(PIP_DOWNLOAD) --only-binary=:all: --platform any --python-version 3.14 \
		--dest .venv-lite/wheels -r deploy/lite/kernel.txt
	@touch $@

# Python in a browser, for the tests. Its packages are published as one release, which is no
# package; open-webui happens to carry numpy and matplotlib of the same build.
.venv-lite/.pyodide: .venv-lite/.ready tests/lite/pyodide.py
	@command -v npm >/dev/null || { \
		echo "These tests need Node.js 20 or newer with npm (nodejs.org has it)."; exit 1; }
	@rm -rf .venv-lite/pyodide
	@npm install --silent --no-fund --no-audit --prefix .venv-lite pyodide@314.0.6
	@.venv-lite/$(PIP_DOWNLOAD) --dest .venv-lite/parts open-webui==0.12.4
	@.venv-lite/bin/python tests/lite/pyodide.py .venv-lite/pyodide \
		.venv-lite/node_modules/pyodide .venv-lite/parts/open_webui-*.whl
	@touch $@

.venv-uv/.ready:
	$(call MAKE_VENV,.venv-uv)
	@.venv-uv/$(PIP_INSTALL) uv
	@touch $@
