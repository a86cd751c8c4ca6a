from functools import lru_cache

from pydantic import PostgresDsn, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class DatabaseSettings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TENANCY_DB_")

    dsn: PostgresDsn
    echo: bool = False


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_prefix="TENANCY_")

    title: str = "Tenancy"
    secret: SecretStr = SecretStr("only in tests")
    origins: list[str] = ["https://app.example.com"]
    session_seconds: int = 3600


@lru_cache
def get_settings() -> Settings:
    return Settings()


@lru_cache
def get_database_settings() -> DatabaseSettings:
    return DatabaseSettings()
