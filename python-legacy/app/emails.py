import logging
import smtplib
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formataddr
from pathlib import Path

from jinja2 import Environment, FileSystemLoader

from app.config import settings
from app.security import create_password_reset_token

logger = logging.getLogger(__name__)

templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True
)


@dataclass(frozen=True)
class Email:
    subject: str
    html: str


def _render(template: str, **context: object) -> str:
    return templates.get_template(template).render(project_name=settings.PROJECT_NAME, **context)


def test_email(email_to: str) -> Email:
    return Email(
        subject=f"{settings.PROJECT_NAME} - Test email",
        html=_render("test_email.html", email=email_to),
    )


def new_account_email(email_to: str, username: str, link: str | None = None) -> Email:
    return Email(
        subject=f"{settings.PROJECT_NAME} - New account for {username}",
        html=_render(
            "new_account.html",
            username=username,
            email=email_to,
            link=link or settings.FRONTEND_HOST,
        ),
    )


def reset_password_email(email_to: str, username: str) -> Email:
    token = create_password_reset_token(email_to)
    return Email(
        subject=f"{settings.PROJECT_NAME} - Password recovery for {username}",
        html=_render(
            "reset_password.html",
            username=username,
            email=email_to,
            valid_hours=settings.EMAIL_RESET_TOKEN_EXPIRE_HOURS,
            link=f"{settings.FRONTEND_HOST}/reset-password?token={token}",
        ),
    )


def send_email(email_to: str, email: Email) -> None:
    """Runs after the response: a mail server or broker that fails never fails a request."""
    if not settings.emails_enabled:
        logger.warning("e-mail is not configured, nothing was sent")
        return
    try:
        if settings.CELERY_BROKER_URL:
            # Only where there is a broker: Celery takes time and memory.
            from app.tasks.emails import send_email as task

            task.delay(email_to, email.subject, email.html)
        else:
            deliver(email_to, email)
    except Exception:
        logger.exception("an e-mail could not be sent")


def deliver(email_to: str, email: Email) -> None:
    """Give an e-mail to the mail server, or raise why it was not taken."""
    if settings.SMTP_HOST is None:
        raise RuntimeError("e-mail is not configured")
    message = EmailMessage()
    message["Subject"] = email.subject
    message["From"] = formataddr((settings.emails_from_name, settings.EMAILS_FROM_EMAIL or ""))
    message["To"] = email_to
    message.set_content(email.html, subtype="html")
    connect = smtplib.SMTP_SSL if settings.SMTP_SSL else smtplib.SMTP
    with connect(settings.SMTP_HOST, settings.SMTP_PORT, timeout=30) as smtp:
        if settings.SMTP_TLS and not settings.SMTP_SSL:
            smtp.starttls()
        if settings.SMTP_USER:
            smtp.login(settings.SMTP_USER, settings.SMTP_PASSWORD or "")
        smtp.send_message(message)
