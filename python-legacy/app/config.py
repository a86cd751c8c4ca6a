import re
import warnings
from typing import Annotated, Literal, Self
from urllib.parse import unquote, urlsplit

from pydantic import BeforeValidator, EmailStr, Field, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

INSECURE_DEFAULT = "changethis"
POSTGRESQL_DRIVERS = ("asyncpg", "pg8000", "psycopg", "psycopg2", "psycopg2cffi")


def parse_origins(value: object) -> object:
    if not isinstance(value, str):
        return value
    origins = [origin.strip().rstrip("/") for origin in value.split(",") if origin.strip()]
    for origin in origins:
        parts = urlsplit(origin)
        if not parts.scheme or not parts.netloc or parts.path or parts.query or parts.fragment:
            raise ValueError(f"'{origin}' is not an origin such as https://app.example.com")
    return origins


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_file=".env", env_ignore_empty=True, extra="ignore")

    PROJECT_NAME: str = "Molt"
    API_V1_STR: str = "/api/v1"
    ENVIRONMENT: Literal["local", "staging", "production"] = "local"
    HOST: str = "127.0.0.1"
    PORT: int = Field(default=8001, ge=0, le=65535)

    DATABASE_URL: str = "sqlite:///./molt.db"
    DATABASE_POOL_SIZE: int = Field(default=40, ge=1)

    SECRET_KEY: str = INSECURE_DEFAULT
    ACCESS_TOKEN_EXPIRE_MINUTES: int = Field(default=60 * 24 * 8, gt=0)
    FRONTEND_HOST: str = "http://localhost:5173"
    BACKEND_CORS_ORIGINS: Annotated[list[str], NoDecode, BeforeValidator(parse_origins)] = []

    FIRST_SUPERUSER: EmailStr = "admin@example.com"
    FIRST_SUPERUSER_PASSWORD: str = INSECURE_DEFAULT

    SMTP_HOST: str | None = None
    SMTP_PORT: int = Field(default=587, ge=1, le=65535)
    SMTP_TLS: bool = True
    SMTP_SSL: bool = False
    SMTP_USER: str | None = None
    SMTP_PASSWORD: str | None = None
    EMAILS_FROM_EMAIL: EmailStr | None = None
    EMAILS_FROM_NAME: str | None = None
    EMAIL_RESET_TOKEN_EXPIRE_HOURS: int = Field(default=48, gt=0)
    EMAIL_TEST_USER: EmailStr = "test@example.com"

    # With a broker, e-mails are sent by a worker: app/celery.py.
    CELERY_BROKER_URL: str | None = None
    CELERY_RESULT_BACKEND: str | None = None
    CELERY_QUEUE: str = "celery"

    @property
    def cors_origins(self) -> list[str]:
        return [*self.BACKEND_CORS_ORIGINS, self.FRONTEND_HOST.rstrip("/")]

    @property
    def emails_enabled(self) -> bool:
        return bool(self.SMTP_HOST and self.EMAILS_FROM_EMAIL)

    @property
    def emails_from_name(self) -> str:
        return self.EMAILS_FROM_NAME or self.PROJECT_NAME

    @property
    def sqlalchemy_url(self) -> str:
        """`DATABASE_URL` as SQLAlchemy wants it; what sqlx and other drivers accept is accepted."""
        url = re.sub(r"^sqlite\+(aiosqlite|pysqlite):", "sqlite:", self.DATABASE_URL)
        if url.startswith("sqlite:"):
            path, _, query = url.removeprefix("sqlite:").partition("?")
            if query not in ("", "mode=rwc"):
                raise ValueError(f"DATABASE_URL: '?{query}' is not supported, only '?mode=rwc' is")
            path = path.removeprefix("///") if path.startswith("///") else path.removeprefix("//")
            return "sqlite://" if path in ("", ":memory:") else f"sqlite:///{path}"
        scheme, _, rest = url.partition("://")
        database, _, driver = scheme.partition("+")
        if database in ("postgres", "postgresql") and driver in ("", *POSTGRESQL_DRIVERS):
            if driver == "asyncpg":
                rest = re.sub(r"([?&])ssl=(true|1)\b", r"\1sslmode=require", rest, flags=re.I)
                rest = re.sub(r"([?&])ssl=", r"\1sslmode=", rest)
            return f"postgresql+psycopg://{rest}"
        raise ValueError(f"DATABASE_URL: unknown scheme '{scheme}', use sqlite: or postgresql:")

    @model_validator(mode="after")
    def _check_database_url(self) -> Self:
        _ = self.sqlalchemy_url
        return self

    @model_validator(mode="after")
    def _refuse_insecure_defaults(self) -> Self:
        secrets = {
            "SECRET_KEY": self.SECRET_KEY,
            "FIRST_SUPERUSER_PASSWORD": self.FIRST_SUPERUSER_PASSWORD,
            "the password in DATABASE_URL": unquote(urlsplit(self.DATABASE_URL).password or ""),
        }
        for name, value in secrets.items():
            if value == INSECURE_DEFAULT:
                message = f'{name} is "{INSECURE_DEFAULT}"; set a secret of your own'
                if self.ENVIRONMENT == "local":
                    warnings.warn(message, stacklevel=1)
                else:
                    raise ValueError(message)
        return self


settings = Settings()
