"""Migrates under the lock that the Rust service takes too, one process at a time."""

import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

from alembic import context
from alembic.autogenerate import compare_metadata
from alembic.util import CommandError
from sqlalchemy import Connection, text

from app.db import engine
from app.models import Base


@contextmanager
def migration_lock(connection: Connection) -> Iterator[None]:
    if connection.dialect.name == "sqlite":
        # The one that writes, up to the commit. Another may migrate for longer than it writes else.
        connection.exec_driver_sql("PRAGMA busy_timeout = 60000")
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        connection.commit()
        connection.exec_driver_sql("PRAGMA busy_timeout = 5000")
        return
    # The advisory lock that sqlx takes: of the name of the database.
    name = connection.scalar(text("SELECT current_database()"))
    lock = {"lock": 0x3D32AD9E * zlib.crc32(name.encode())}
    connection.execute(text("SELECT pg_advisory_lock(:lock)"), lock)
    connection.commit()
    try:
        yield
        connection.commit()
    finally:
        connection.rollback()
        connection.execute(text("SELECT pg_advisory_unlock(:lock)"), lock)
        connection.commit()


def unknown_revisions() -> list[str]:
    """Revisions of the database that a later version of this service made."""

    def is_unknown(revision: str) -> bool:
        try:
            context.script.get_revision(revision)
        except CommandError:
            return True
        return False

    return [head for head in context.get_context().get_current_heads() if is_unknown(head)]


def refuse_differences() -> None:
    """Tables that another program made are adopted only if they equal the models."""
    needed = ("add_table", "add_column", "add_fk", "modify_type", "modify_nullable")
    differences = []
    for change in compare_metadata(context.get_context(), Base.metadata):
        # A column's changes come in a list of their own.
        for operation in change if isinstance(change, list) else [change]:
            if operation[0] in needed:
                differences.append(" ".join(str(part) for part in operation))
    if differences:
        raise CommandError(
            "the tables in the database are not what the migrations make:\n  "
            + "\n  ".join(differences)
        )


with engine.connect() as connection, migration_lock(connection):
    context.configure(connection=connection, target_metadata=Base.metadata)
    adopts = not context.get_context().get_current_heads()
    if unknown := unknown_revisions():
        sys.stderr.write(
            "the database is newer than this service, at revision "
            f"{', '.join(unknown)}, which it does not know; it is left as it is\n"
        )
    else:
        with context.begin_transaction():
            context.run_migrations()
            if adopts:
                refuse_differences()
