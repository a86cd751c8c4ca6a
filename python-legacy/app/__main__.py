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
        errors = [
            f"  {'.'.join(str(part) for part in detail['loc']) or 'settings'}: {detail['msg']}"
            for detail in error.errors()
        ]
        sys.exit("Bad settings:\n" + "\n".join(errors))

    from app.db import create_first_superuser, engine
    from app.main import app

    command.upgrade(Config(Path(__file__).parent.parent / "alembic.ini"), "head")
    with Session(engine) as session:
        create_first_superuser(session)
    uvicorn.run(app, host=settings.HOST, port=settings.PORT, server_header=False)


if __name__ == "__main__":
    main()
