"""The start of the service on databases of every kind."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

MIGRATE = """
from alembic import command
from alembic.config import Config
command.upgrade(Config("alembic.ini"), "head")
"""


def start(database: Path) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", MIGRATE],
        cwd=Path(__file__).parent.parent,
        env={**os.environ, "DATABASE_URL": f"sqlite:///{database}"},
        stderr=subprocess.PIPE,
        text=True,
    )


def migrate(database: Path) -> tuple[int, str]:
    process = start(database)
    _, errors = process.communicate()
    return process.returncode, errors


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "test.db"


def test_of_many_that_start_at_once_none_fails(database: Path) -> None:
    processes = [start(database) for _ in range(5)]
    errors = [process.communicate()[1] for process in processes]
    assert [process.returncode for process in processes] == [0] * 5, errors


def test_a_newer_database_is_left_as_it_is(database: Path) -> None:
    assert migrate(database) == (0, "")
    with sqlite3.connect(database) as connection:
        connection.execute("UPDATE alembic_version SET version_num = 'of_later'")
    code, errors = migrate(database)
    assert code == 0
    assert "newer than this service, at revision of_later" in errors


def test_a_foreign_table_is_refused_and_left_alone(database: Path) -> None:
    with sqlite3.connect(database) as connection:
        connection.execute(
            'CREATE TABLE "user" (id CHAR(32) PRIMARY KEY, email VARCHAR(255) NOT NULL, '
            "is_active BOOLEAN NOT NULL, is_superuser BOOLEAN, full_name VARCHAR(100))"
        )
    code, errors = migrate(database)
    assert code != 0
    for difference in ["user.hashed_password", "modify_nullable None user is_superuser"]:
        assert difference in errors, errors
    with sqlite3.connect(database) as connection:
        tables = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
        assert tables.fetchall() == [("user",)], "nothing was made or marked"
