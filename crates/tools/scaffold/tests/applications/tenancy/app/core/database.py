from collections.abc import AsyncIterator

from sqlalchemy import MetaData
from sqlalchemy.orm import DeclarativeBase

from app.core.settings import get_database_settings


class Base(DeclarativeBase):
    metadata = MetaData(schema="tenancy")


class Database:
    """Connects when it is first used."""

    def __init__(self) -> None:
        self.url = str(get_database_settings().dsn)

    async def __call__(self) -> AsyncIterator[object]:
        from sqlalchemy.ext.asyncio import AsyncSession, create_async_engine

        async with AsyncSession(create_async_engine(self.url)) as session:
            yield session


database = Database()
