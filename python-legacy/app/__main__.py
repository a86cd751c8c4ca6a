"""Migrate, create the first superuser and serve: `python -m app`."""

import sys
from pathlib import Path

import uvicorn
from alembic import command
from alembic.config import Config
from pydantic import ValidationError
from sqlalchemy.orm import Session


def main() -> None:
    try:
        from app.config import settings
    except ValidationError as error:
        faults = [
            f"  {'.'.join(str(part) for part in fault['loc']) or 'settings'}: {fault['msg']}"
            for fault in error.errors()
        ]
        sys.exit("Bad settings:\n" + "\n".join(faults))

    from app.db import create_first_superuser, engine
    from app.main import app

    command.upgrade(Config(Path(__file__).parent.parent / "alembic.ini"), "head")
    with Session(engine) as session:
        create_first_superuser(session)
    uvicorn.run(app, host=settings.HOST, port=settings.PORT, server_header=False)


if __name__ == "__main__":
    main()
