import smtplib

from app import emails
from app.celery import celery


@celery.task(
    autoretry_for=(OSError, smtplib.SMTPException),
    max_retries=5,
    retry_backoff=2,
    retry_backoff_max=600,
    retry_jitter=True,
)
def send_email(email_to: str, subject: str, html: str) -> None:
    """Give an e-mail to the mail server; when that fails, again, for about a minute."""
    emails.deliver(email_to, emails.Email(subject=subject, html=html))
