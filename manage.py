#!/usr/bin/env python
"""The command line of the control plane; `python manage.py help` lists all."""

import os
import sys
from importlib.util import find_spec
from pathlib import Path

PYTHON = Path(__file__).resolve().parent / ".venv" / "bin" / "python"
if find_spec("django") is None and PYTHON.exists() and sys.executable != str(PYTHON):
    # The system's Python: what a command needs is where `make run` installed it.
    os.execv(PYTHON, [str(PYTHON), *sys.argv])

from django.conf import settings  # noqa: E402
from django.core.exceptions import ImproperlyConfigured  # noqa: E402
from django.core.management import execute_from_command_line  # noqa: E402

NO_DATABASE = (
    "There is no database. Start the system with `make run` (DATA_DIR says which one a"
    " command belongs to), or set DATABASE_URL."
)


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    try:
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as error:
        unset = settings.configured and not settings.DATABASE_URL
        sys.exit(NO_DATABASE if unset and "ENGINE" in str(error) else str(error))


if __name__ == "__main__":
    main()
