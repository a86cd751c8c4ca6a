from typing import Any

from fastapi import APIRouter, HTTPException

from app import crud
from app.deps import SessionDep
from app.models import User
from app.schemas import PrivateUserCreate, UserPublic
from app.security import hash_password

router = APIRouter(prefix="/private", tags=["private"])


@router.post("/users/", response_model=UserPublic)
def create_user(session: SessionDep, body: PrivateUserCreate) -> Any:
    """Create a user without any check, for local tests."""
    user = User(
        email=body.email,
        full_name=body.full_name,
        hashed_password=hash_password(body.password),
    )
    try:
        crud.save_user(session, user)
    except crud.EmailTaken:
        raise HTTPException(400, "The user with this email already exists in the system.") from None
    return user
