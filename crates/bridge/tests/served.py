"""python-legacy as `python -m app` serves it, behind the bridge; STRANGLER_PLAN is the plan.

Run it by `python -m served`, and without a function around: the stack is then as deep as there,
upon which the deepest JSON that Python reads depends.
"""

from pathlib import Path

import uvicorn
from alembic import command
from alembic.config import Config
from app.config import settings
from app.db import create_first_superuser, engine
from app.main import app
from molt_bridge import Strangler
from sqlalchemy.orm import Session

LEGACY = Path(__file__).parents[3] / "python-legacy"

command.upgrade(Config(LEGACY / "alembic.ini"), "head")
with Session(engine) as session:
    create_first_superuser(session)
uvicorn.run(Strangler(app), host=settings.HOST, port=settings.PORT, server_header=False)
