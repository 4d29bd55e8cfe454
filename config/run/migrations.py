"""Whether the database has all migrations and the shipped catalogue.

Told without starting Django: loading it takes a second that a start without new ones
can do without.
"""

import hashlib
from pathlib import Path

import psycopg

from config.run.datadir import write_private
from config.run.options import ROOT
from config.run.terminal import StartError

# Migrations; the servers that ship, and the rules that judge them.
BROUGHT_IN = (
    "*/migrations/*.py",
    "catalog/snapshot/*.json",
    "catalog/classifier/version.py",
)
APPLIED = """
    SELECT md5(string_agg(app || chr(46) || name, chr(32) ORDER BY id))
    FROM django_migrations
"""


def are_applied(database_url: str, data_dir: Path) -> bool:
    """As the last start of the same code left the same database."""
    kept = data_dir / "migrated"
    return kept.exists() and kept.read_text() == _state(database_url)


def remember_applied(database_url: str, data_dir: Path) -> None:
    write_private(data_dir / "migrated", _state(database_url))


def _state(database_url: str) -> str:
    return f"{_code()} {_database(database_url)}"


def _code() -> str:
    digest = hashlib.sha256((ROOT / "requirements.txt").read_bytes())
    for pattern in BROUGHT_IN:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(str(path.relative_to(ROOT)).encode() + path.read_bytes())
    return digest.hexdigest()


def check_database(database_url: str) -> None:
    try:
        psycopg.connect(database_url, connect_timeout=5).close()
    except psycopg.Error as error:
        raise StartError(f"DATABASE_URL leads to no database: {error}") from None


def _database(database_url: str) -> str:
    with psycopg.connect(database_url, connect_timeout=5) as connection:
        try:
            row = connection.execute(APPLIED).fetchone()
        except psycopg.errors.UndefinedTable:
            return "empty"
    return str(row[0]) if row else "empty"
