# Needs only Python 3.11+ (with venv and pip) and make.
PYTHON ?= python3
IN_VENV = $(PYTHON) config/bootstrap.py

.PHONY: run test proof bench lint setup

# exec: make signals its child, which must be the supervisor and no shell.
run:
	@exec $(IN_VENV) config.run --follow-parent

test:
	@exec $(IN_VENV) --dev tests $(ARGS)

# Takes minutes, and the package registry.
proof:
	@exec $(IN_VENV) --dev tests.proof $(ARGS)

bench:
	@exec $(IN_VENV) --dev benchmarks $(ARGS)

lint: setup
	@.venv/bin/python -m ruff check .
	@.venv/bin/python -m ruff format --check .
	@.venv/bin/python -m mypy .

setup:
	@exec $(IN_VENV) --dev
