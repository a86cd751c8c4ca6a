from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app import projects, tasks
from app.core.settings import Settings, get_settings


class Signed:
    """Marks answers with a secret that is not to be shown."""

    def __init__(self, app: ASGIApp, secret_key: str, max_age: int) -> None:
        self.app, self.secret_key, self.max_age = app, secret_key, max_age

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, send)


class Application(FastAPI):
    """The application as a class of its own, made from its settings."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(title=settings.title, lifespan=self.run, root_path="/api")
        self.add_middleware(CORSMiddleware, allow_origins=settings.origins)
        self.add_middleware(
            Signed,
            secret_key=settings.secret.get_secret_value(),
            max_age=settings.session_seconds,
        )
        self.include_router(projects.router)
        self.include_router(tasks.router)
        self.mount("/admin", FastAPI(title="Admin"))

        @self.middleware("http")
        async def version(request, call_next):
            response = await call_next(request)
            response.headers["x-version"] = "1"
            return response

    @asynccontextmanager
    async def run(self, app: FastAPI) -> AsyncIterator[None]:
        raise RuntimeError("the inspector has started the lifespan")
        yield


app = Application(get_settings())
