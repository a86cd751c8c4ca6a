from typing import Annotated, Any

from fastapi import APIRouter, BackgroundTasks, Depends, HTTPException
from fastapi.responses import HTMLResponse
from fastapi.security import OAuth2PasswordRequestForm

from app import crud, emails, security
from app.deps import CurrentUser, SessionDep, Superuser
from app.schemas import Message, NewPassword, Text, Token, UserPublic

router = APIRouter(tags=["login"])


@router.post("/login/access-token")
def login_access_token(
    session: SessionDep, form: Annotated[OAuth2PasswordRequestForm, Depends()]
) -> Token:
    """Sign in with e-mail and password; the token goes into the Authorization header."""
    user = crud.authenticate(session, form.username, form.password)
    if user is None:
        raise HTTPException(400, "Incorrect email or password")
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    return Token(access_token=security.create_access_token(user.id))


@router.post("/login/test-token", response_model=UserPublic)
def test_token(current_user: CurrentUser) -> Any:
    """Tell whose token this is."""
    return current_user


@router.post("/password-recovery/{email}")
def recover_password(email: Text, session: SessionDep, background: BackgroundTasks) -> Message:
    """Send a link for choosing a new password."""
    user = crud.get_user_by_email(session, email)
    if user is not None:
        message = emails.reset_password_email(user.email, email)
        background.add_task(emails.send_email, user.email, message)
    return Message(message="If that email is registered, we sent a password recovery link")


@router.post("/reset-password/")
def reset_password(session: SessionDep, body: NewPassword) -> Message:
    """Choose a new password with the token from the recovery e-mail."""
    email = security.read_password_reset_token(body.token)
    user = crud.get_user_by_email(session, email) if email is not None else None
    if user is None:
        raise HTTPException(400, "Invalid token")
    if not user.is_active:
        raise HTTPException(400, "Inactive user")
    user.hashed_password = security.hash_password(body.new_password)
    session.commit()
    return Message(message="Password updated successfully")


@router.post("/password-recovery-html-content/{email}", response_class=HTMLResponse)
def recover_password_html_content(email: Text, session: SessionDep, _superuser: Superuser) -> Any:
    """Show the recovery e-mail of a user as it would be sent."""
    user = crud.get_user_by_email(session, email)
    if user is None:
        raise HTTPException(404, "The user with this username does not exist in the system.")
    message = emails.reset_password_email(user.email, email)
    return HTMLResponse(message.html, headers={"subject": header_text(message.subject)})


def header_text(text: str) -> str:
    """What a header cannot carry (control characters, anything beyond Latin-1) becomes `?`."""
    return "".join(c if " " <= c <= "~" or "\xa0" <= c <= "\xff" else "?" for c in text)
