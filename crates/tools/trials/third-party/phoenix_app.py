"""Phoenix's application as its command makes it, without a database: a draft is made from it."""

from fastapi import FastAPI
from phoenix.db.engines import create_engine
from phoenix.server.app import _db, create_app
from phoenix.server.types import DbSessionFactory


def app() -> FastAPI:
    engine = create_engine("sqlite:///:memory:", migrate=False)
    sessions = DbSessionFactory(db=_db(engine), dialect="sqlite")
    return create_app(db=sessions, authentication_enabled=False, serve_ui=False)
