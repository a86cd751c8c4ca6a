import uuid
from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, BaseModel, EmailStr, Field, WithJsonSchema
from pydantic_core import PydanticCustomError, PydanticKnownError

COLUMN_LENGTH = 255


def storable(value: str) -> str:
    """Refuse what a varchar(255) of a database cannot hold, whichever database it is."""
    if len(value) > COLUMN_LENGTH:
        raise PydanticKnownError("string_too_long", {"max_length": COLUMN_LENGTH})
    return without_nul(value)


def without_nul(value: str) -> str:
    """Refuse the one character that PostgreSQL cannot hold in a text."""
    if "\0" in value:
        raise PydanticCustomError("string_nul", "String should not contain the character U+0000")
    return value


Text = Annotated[str, AfterValidator(storable)]
Name = Annotated[str, Field(max_length=COLUMN_LENGTH), AfterValidator(storable)]
# [with items]
Title = Annotated[str, Field(min_length=1, max_length=COLUMN_LENGTH), AfterValidator(storable)]
# [end]
Email = Annotated[EmailStr, Field(max_length=COLUMN_LENGTH)]
Password = Annotated[str, Field(min_length=8, max_length=128)]

# In answers: what is stored is shown as it is.
StoredEmail = Annotated[
    str, WithJsonSchema({"type": "string", "format": "email", "maxLength": COLUMN_LENGTH})
]
StoredName = Annotated[str, Field(max_length=COLUMN_LENGTH)]
# [with items]
StoredTitle = Annotated[str, Field(min_length=1, max_length=COLUMN_LENGTH)]
# [end]


class UserPublic(BaseModel):
    email: StoredEmail
    is_active: bool = True
    is_superuser: bool = False
    full_name: StoredName | None = None
    id: uuid.UUID
    created_at: datetime | None = None


class UsersPublic(BaseModel):
    data: list[UserPublic]
    count: int


class UserCreate(BaseModel):
    email: Email
    is_active: bool = True
    is_superuser: bool = False
    full_name: Name | None = None
    password: Password


class UserRegister(BaseModel):
    email: Email
    password: Password
    full_name: Name | None = None


class UserUpdate(BaseModel):
    email: Email | None = None
    is_active: bool | None = None
    is_superuser: bool | None = None
    full_name: Name | None = None
    password: Password | None = None


class UserUpdateMe(BaseModel):
    full_name: Name | None = None
    email: Email | None = None


class UpdatePassword(BaseModel):
    current_password: Password
    new_password: Password


class NewPassword(BaseModel):
    token: str
    new_password: Password


class PrivateUserCreate(BaseModel):
    email: Text
    password: str
    full_name: Text
    is_verified: bool = False


# [with items]
class ItemCreate(BaseModel):
    title: Title
    description: Name | None = None


class ItemUpdate(BaseModel):
    title: Title | None = None
    description: Name | None = None


class ItemPublic(BaseModel):
    title: StoredTitle
    description: StoredName | None = None
    id: uuid.UUID
    owner_id: uuid.UUID
    created_at: datetime | None = None


class ItemsPublic(BaseModel):
    data: list[ItemPublic]
    count: int


# [end]
class Token(BaseModel):
    access_token: str
    token_type: str = "bearer"


class Message(BaseModel):
    message: str
