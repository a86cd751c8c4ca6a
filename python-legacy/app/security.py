import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher
from pwdlib.hashers.bcrypt import BcryptHasher
from pydantic import BaseModel, ValidationError

from app.config import settings

ALGORITHM = "HS256"

password_hash = PasswordHash((Argon2Hasher(), BcryptHasher()))

# Verified when the e-mail is unknown, so that the answer takes the same time.
UNKNOWN_USER_HASH = password_hash.hash("no user has this password")


class AccessToken(BaseModel):
    sub: uuid.UUID


class ResetToken(BaseModel):
    sub: str


def hash_password(password: str) -> str:
    return password_hash.hash(password)


def verify_password(password: str, hashed_password: str) -> tuple[bool, str | None]:
    """Whether the password fits, and a new hash if the stored one is of an older kind."""
    try:
        return password_hash.verify_and_update(password, hashed_password)
    except ValueError:  # bcrypt refuses passwords of more than 72 bytes
        return False, None


def create_access_token(user_id: uuid.UUID) -> str:
    expires = datetime.now(UTC) + timedelta(minutes=settings.ACCESS_TOKEN_EXPIRE_MINUTES)
    return jwt.encode({"exp": expires, "sub": str(user_id)}, settings.SECRET_KEY, ALGORITHM)


def create_password_reset_token(email: str) -> str:
    now = datetime.now(UTC)
    expires = now + timedelta(hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS)
    return jwt.encode({"exp": expires, "nbf": now, "sub": email}, settings.SECRET_KEY, ALGORITHM)


def _decode(token: str, require: list[str]) -> dict[str, Any]:
    return jwt.decode(token, settings.SECRET_KEY, [ALGORITHM], options={"require": require})


def read_access_token(token: str) -> uuid.UUID | None:
    """The user's id, or None for a token that is not a valid access token."""
    try:
        claims = _decode(token, ["exp", "sub"])
        # Only reset tokens have the claim nbf: one kind never passes for the other.
        return None if "nbf" in claims else AccessToken.model_validate(claims).sub
    except (jwt.InvalidTokenError, ValidationError):
        return None


def read_password_reset_token(token: str) -> str | None:
    """The e-mail address, or None for a token that is not a valid reset token."""
    try:
        return ResetToken.model_validate(_decode(token, ["exp", "nbf", "sub"])).sub
    except (jwt.InvalidTokenError, ValidationError):
        return None
