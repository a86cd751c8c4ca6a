"""How a database differs from models, as Alembic sees it: `compare.py URL MODULE:NAME`."""

import importlib
import json
import sys

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import MetaData, create_engine


def main() -> None:
    url, name = sys.argv[1:]
    # Some make their tables while they are imported.
    MetaData.create_all = lambda *_arguments, **_options: None  # type: ignore[method-assign]
    module, _, path = name.partition(":")
    metadata = importlib.import_module(module)
    for attribute in path.split("."):
        metadata = getattr(metadata, attribute)
    schemas = {table.schema for table in metadata.tables.values()}
    options = {
        "compare_type": True,
        "compare_server_default": True,
        "include_schemas": schemas != {None},
        "include_name": lambda found, kind, _: (
            found in schemas if kind == "schema" else found != "_sqlx_migrations"
        ),
    }
    with create_engine(url).connect() as connection:
        context = MigrationContext.configure(connection, opts=options)
        differences = compare_metadata(context, metadata)
    json.dump([repr(difference) for difference in differences], sys.stdout)


main()
