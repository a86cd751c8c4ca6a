from fastapi import APIRouter, BackgroundTasks
from pydantic import EmailStr

from app import emails
from app.deps import Superuser
from app.schemas import Message

router = APIRouter(prefix="/utils", tags=["utils"])


@router.post("/test-email/", status_code=201)
def test_email(email_to: EmailStr, _superuser: Superuser, background: BackgroundTasks) -> Message:
    """Send a test e-mail."""
    background.add_task(emails.send_email, email_to, emails.test_email(email_to))
    return Message(message="Test email sent")


@router.get("/health-check/")
def health_check() -> bool:
    """Tell that the service is up."""
    return True
