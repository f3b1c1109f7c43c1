# Every target prepares what it needs in .venv. It takes Python >= 3.11 with its venv module, and make.
#
#   make demo                             the whole line on one machine, with the console and the public pages
#   make demo ARGS="--auto --data DIR"    the same, the officers played by the program; ends by itself
#   make test [ARGS="tests/unit -q"]      the test suite; WORKERS=1 runs one test after the other
#   make fuzz [ARGS="--cases 10000"]      damaged files of every kind against every reader (long)
#   make fuzz-cap [ARGS="--cases 2000"]   random warnings as CAP, against every rule and other people's readers (long)
#   make check                            layout, style, types, import contracts
#   make bench-feeds                      the public tree against nginx and StaticFiles, and release to visible (needs wrk and nginx)
#   make bench                            speed and memory against what one would pick instead (two minutes on a quiet machine)
#   make lock [ARGS=--upgrade]            pin the dependencies again (needs python3.11)
#   make clean                            remove .venv, builds and caches
#
# PYTHON=python3.12 chooses the interpreter.

PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	"$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo "$$python" && break; done)
LOCK_PYTHON ?= python3.11
ARGS ?=
WORKERS ?= 4
READY := .venv/ready
PIP := .venv/bin/python -m pip --disable-pip-version-check --no-input

# Some machines forbid bytecode files, and every process that a test starts would then compile the whole program again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo test fuzz fuzz-cap check bench bench-feeds layout lock clean

demo: $(READY)
	@.venv/bin/geowarn demo $(ARGS)

# Tests wait for servers, browsers and child processes more than they compute: more at once than there are cores.
test: $(READY)
	.venv/bin/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(ARGS)

fuzz: $(READY)
	.venv/bin/python -W error -m tests.fuzz.run $(ARGS)

fuzz-cap: $(READY) build/cap/ready
	@rm -rf build/cap/messages
	.venv/bin/python -W error -m tests.fuzz.cap --keep build/cap/messages $(ARGS)
	build/cap/bin/python tests/fuzz/cap_others.py build/cap/messages

build/cap/ready: tests/fuzz/cap_requirements.txt
	@"$(PYTHON)" -m venv --clear build/cap
	@build/cap/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r tests/fuzz/cap_requirements.txt
	@touch build/cap/ready

check: layout $(READY)
	.venv/bin/ruff check .
	.venv/bin/ruff format --check .
	.venv/bin/mypy
	.venv/bin/lint-imports

# What we are measured against gets an environment of its own, so that neither side's libraries meet the other's.
bench: $(READY) build/bench/ready
	@env -u OPENBLAS_CORETYPE .venv/bin/python bench/zonal.py $(ARGS)

bench-feeds: $(READY)
	@.venv/bin/python bench/feeds.py $(ARGS)

build/bench/ready: bench/requirements.txt
	@"$(PYTHON)" -m venv --clear build/bench
	@build/bench/bin/python -m pip install --quiet --disable-pip-version-check --no-input -r bench/requirements.txt
	@touch build/bench/ready

# A module directly in a source root would hide the standard library's `warnings` before pytest could say so.
layout:
	@strays=$$(ls warnings/*.py channels/*.py templates/*.py config/*.py 2>/dev/null); \
	if [ -n "$$strays" ]; then echo "Move out of the source roots and data folders (docs/adr/0001-source-roots.md): $$strays" >&2; exit 1; fi

# The lock is chosen by platform, never after a failure: a digest that does not match must stop the installation.
# It names every package: nothing is resolved again, so a release of today cannot stop an installation of today.
$(READY): pyproject.toml requirements.lock
	@[ -n "$(PYTHON)" ] && "$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || \
		{ echo "geowarn needs Python 3.11 or newer; install it, or name it: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' 2>/dev/null || \
		{ echo "$(PYTHON) has no venv module; install it (Debian, Ubuntu: apt install python3-venv), then run make again." >&2; exit 1; }
	@echo "Preparing .venv with $(PYTHON) (once; about a minute)"
	@"$(PYTHON)" -m venv --clear .venv
	@if .venv/bin/python -c 'import platform as p, sys; sys.exit(not (sys.platform == "linux" and p.libc_ver()[0] == "glibc" \
		and p.machine() in ("x86_64", "aarch64") and p.python_implementation() == "CPython" and sys.version_info < (3, 14)))'; then \
		$(PIP) install --quiet --use-pep517 --no-deps --require-hashes -r requirements.lock && \
		$(PIP) install --quiet --no-deps --no-build-isolation --editable . && $(PIP) check --quiet; \
	else \
		echo "requirements.lock does not cover this platform: installing from pyproject.toml"; \
		$(PIP) install --quiet --upgrade pip && $(PIP) install --quiet --group dev --editable . && \
		for extra in grib netcdf pdf postgres; do $(PIP) install --quiet --editable ".[$$extra]" || \
			echo "the extra '$$extra' cannot be installed here; going on without it" >&2; done; \
	fi
	@touch $(READY)

# The oldest supported Python decides, so that every newer one can install the same versions.
lock:
	@"$(LOCK_PYTHON)" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' || \
		{ echo "make lock needs Python 3.11; name it: make lock LOCK_PYTHON=…" >&2; exit 1; }
	@mkdir -p build
	@"$(LOCK_PYTHON)" -m venv --clear build/lock
	@build/lock/bin/python -m pip install --quiet --disable-pip-version-check pip-tools
	@build/lock/bin/python -c 'import tomllib; \
		print(*tomllib.load(open("pyproject.toml", "rb"))["dependency-groups"]["dev"], sep="\n")' > build/lock/dev.in
	build/lock/bin/pip-compile --quiet --generate-hashes --all-extras --strip-extras --allow-unsafe --no-annotate --no-header \
		--no-emit-options --no-emit-index-url --no-emit-trusted-host --no-emit-find-links $(ARGS) \
		--output-file requirements.lock pyproject.toml build/lock/dev.in
	@for python in 3.11 3.12 3.13; do for machine in x86_64 aarch64; do \
		build/lock/bin/python -m pip install --quiet --disable-pip-version-check --dry-run --ignore-installed --no-deps --require-hashes \
			--only-binary :all: --no-binary feedgen --target build/lock/none --implementation cp --python-version $$python \
			$$(for tag in 2_34 2_31 2_28 2_27 2_26 2_24 2_17 2_12 2_5; do echo --platform manylinux_$${tag}_$$machine; done) --platform manylinux2014_$$machine \
			-r requirements.lock && echo "installs on Linux $$machine with CPython $$python" || exit 1; \
	done; done

clean:
	rm -rf .venv build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .coverage demo-data artefacts
