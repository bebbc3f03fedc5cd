# make figures: everything from nothing to work/figures/photos/figure2.png; DATA=tiles EPOCHS=128 RATE=0.01, on an
# example of a folder of pictures. make filters: two bases, trained for the filters of their first layers alone. make
# evidence: what the claims need, then the claims. make bench: ours beside what a user would write. make test: every
# test. make check: in about a minute, linters, types and the quick tests. make lab: JupyterLab. make book: the lessons
# executed and made a web site, work/book/html. make clean: deletes .venv and work, with every trained network.
# PRESET=smoke: tiny networks. Needs Python 3.11 to 3.13 (PYTHON=python3.12 chooses one), make and git. Run again, each
# redoes nothing.

PYTHON ?= python3
PRESET ?= quick
LAB ?= # more options for JupyterLab, as in make lab LAB=--no-browser
BIN := .venv/bin
DATA ?= photos
EPOCHS ?= # the preset's, unless given
RATE ?= # the preset's learning rate, unless given
GRID := --data $(DATA) --preset $(PRESET) --split random0 \
  $(if $(strip $(EPOCHS)),--epochs $(EPOCHS)) $(if $(strip $(RATE)),--learning-rate $(RATE))

.PHONY: figures filters evidence bench book test check lab clean
.DELETE_ON_ERROR:

figures: .venv/installed
	$(BIN)/python -m data_prep $(DATA)
	$(BIN)/python -m transferkit sweep $(GRID)
	$(BIN)/python -m transferkit figures $(GRID)

filters: .venv/installed
	$(BIN)/python -m transferkit filters --runs baseA baseB \
	  --data $(patsubst photos,views,$(DATA)) --preset $(patsubst quick,filters,$(PRESET))

evidence: .venv/installed
	$(BIN)/python -m data_prep photos
	$(BIN)/python -m data_prep shapeworld
	$(BIN)/python -m transferkit evidence

bench: .venv/installed-bench
	$(BIN)/python -m benchmarks.speed
	$(BIN)/python -m benchmarks.precision
	$(BIN)/python -m benchmarks.growth
	$(BIN)/python -m benchmarks.ladder
	$(BIN)/python -m benchmarks.summary

book: .venv/installed-book
	$(BIN)/python -m course.book --preset $(PRESET)

test: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 --dist loadgroup --junit-xml work/tests.xml

check: .venv/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest --numprocesses 2 -q $$($(BIN)/python -m benchmarks.suite --quick)

lab: .venv/installed-lessons
	$(BIN)/jupyter lab --ip=127.0.0.1 $(LAB) notebooks/00_start_here.ipynb

clean:
	rm -rf .venv work

# pip runs once per set of packages; the stamp is written only when it succeeded.
.venv/installed: EXTRAS :=
.venv/installed-lessons: EXTRAS := [lessons]
.venv/installed-book: EXTRAS := [lessons,book]
.venv/installed-test: EXTRAS := [lessons,book,cluster,archive,test]
.venv/installed-bench: EXTRAS := [bench]

.venv/installed .venv/installed-lessons .venv/installed-book .venv/installed-test .venv/installed-bench: pyproject.toml constraints.txt | .venv/bin/pip
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt --editable '.$(EXTRAS)'
	touch $@

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' || \
	  { echo "$(PYTHON) is not Python 3.11 to 3.13: name one, as in 'make figures PYTHON=python3.12'." >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' || \
	  { echo "$(PYTHON) cannot make virtual environments: install its venv package (Debian: python3-venv)." >&2; exit 1; }
	$(PYTHON) -m venv .venv
