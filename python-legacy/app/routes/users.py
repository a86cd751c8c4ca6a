import uuid
from typing import Any

from fastapi import APIRouter, BackgroundTasks, HTTPException
from sqlalchemy import func, select

from app import crud, emails
from app.config import settings
from app.deps import CurrentUser, Limit, SessionDep, Skip, Superuser
from app.models import User
from app.schemas import (
    Message,
    UpdatePassword,
    UserCreate,
    UserPublic,
    UserRegister,
    UsersPublic,
    UserUpdate,
    UserUpdateMe,
)
from app.security import hash_password, verify_password

router = APIRouter(prefix="/users", tags=["users"])


@router.get("/", response_model=UsersPublic)
def read_users(
    session: SessionDep, _superuser: Superuser, skip: Skip = 0, limit: Limit = 100
) -> Any:
    """List all users, the newest first."""
    count = session.scalar(select(func.count()).select_from(User))
    newest_first = select(User).order_by(User.created_at.desc(), User.id)
    users = session.scalars(newest_first.offset(skip).limit(limit)).all()
    return {"data": users, "count": count}


@router.post("/", response_model=UserPublic)
def create_user(
    session: SessionDep, _superuser: Superuser, body: UserCreate, background: BackgroundTasks
) -> Any:
    """Create a user and send the new-account e-mail."""
    user = User(
        **body.model_dump(exclude={"password"}), hashed_password=hash_password(body.password)
    )
    try:
        crud.save_user(session, user)
    except crud.EmailTaken:
        raise HTTPException(400, "The user with this email already exists in the system.") from None
    if settings.emails_enabled:
        message = emails.new_account_email(user.email, user.email)
        background.add_task(emails.send_email, user.email, message)
    return user


@router.get("/me", response_model=UserPublic)
def read_user_me(current_user: CurrentUser) -> Any:
    """Show one's own account."""
    return current_user


@router.patch("/me", response_model=UserPublic)
def update_user_me(session: SessionDep, current_user: CurrentUser, body: UserUpdateMe) -> Any:
    """Change one's own name or e-mail."""
    return update(session, current_user, body)


@router.patch("/me/password")
def update_password_me(
    session: SessionDep, current_user: CurrentUser, body: UpdatePassword
) -> Message:
    """Change one's own password."""
    verified, _ = verify_password(body.current_password, current_user.hashed_password)
    if not verified:
        raise HTTPException(400, "Incorrect password")
    if body.current_password == body.new_password:
        raise HTTPException(400, "New password cannot be the same as the current one")
    current_user.hashed_password = hash_password(body.new_password)
    session.commit()
    return Message(message="Password updated successfully")


@router.delete("/me")
def delete_user_me(session: SessionDep, current_user: CurrentUser) -> Message:
    """Delete one's own account and all that belongs to it."""
    if current_user.is_superuser:
        raise HTTPException(403, "Super users are not allowed to delete themselves")
    session.delete(current_user)
    session.commit()
    return Message(message="User deleted successfully")


@router.post("/signup", response_model=UserPublic)
def register_user(session: SessionDep, body: UserRegister) -> Any:
    """Create an account for oneself."""
    user = User(
        email=body.email,
        full_name=body.full_name,
        hashed_password=hash_password(body.password),
    )
    try:
        crud.save_user(session, user)
    except crud.EmailTaken:
        raise HTTPException(400, "The user with this email already exists in the system") from None
    return user


@router.get("/{user_id}", response_model=UserPublic)
def read_user_by_id(user_id: uuid.UUID, session: SessionDep, current_user: CurrentUser) -> Any:
    """Show a user: oneself, or anybody for a superuser."""
    if user_id == current_user.id:
        return current_user
    if not current_user.is_superuser:
        raise HTTPException(403, "The user doesn't have enough privileges")
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    return user


@router.patch("/{user_id}", response_model=UserPublic)
def update_user(
    user_id: uuid.UUID, session: SessionDep, _superuser: Superuser, body: UserUpdate
) -> Any:
    """Change a user."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "The user with this id does not exist in the system")
    return update(session, user, body)


@router.delete("/{user_id}")
def delete_user(user_id: uuid.UUID, session: SessionDep, superuser: Superuser) -> Message:
    """Delete a user and all that belongs to them."""
    user = session.get(User, user_id)
    if user is None:
        raise HTTPException(404, "User not found")
    if user is superuser:
        raise HTTPException(403, "Super users are not allowed to delete themselves")
    session.delete(user)
    session.commit()
    return Message(message="User deleted successfully")


def update(session: SessionDep, user: User, body: UserUpdate | UserUpdateMe) -> User:
    """Change the fields that the request names; null empties the name and leaves the rest alone."""
    changes = body.model_dump(exclude_unset=True)
    password = changes.pop("password", None)
    if password is not None:
        user.hashed_password = hash_password(password)
    for field, value in changes.items():
        if value is not None or field == "full_name":
            setattr(user, field, value)
    try:
        crud.save_user(session, user)
    except crud.EmailTaken:
        raise HTTPException(409, "User with this email already exists") from None
    return user
