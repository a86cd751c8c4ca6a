"""The Celery application: `celery -A app.celery worker --beat`, where CELERY_BROKER_URL is set.

A message may be delivered twice, after a worker was killed: each task does no harm the second time,
but for an e-mail, which may be sent twice.
"""

from celery import Celery
from celery.schedules import crontab

from app.config import settings

celery = Celery(
    "molt",
    broker=settings.CELERY_BROKER_URL,
    backend=settings.CELERY_RESULT_BACKEND,
    include=[
        "app.tasks.emails",
        # [with items]
        "app.tasks.items",
        # [end]
        "app.tasks.users",
    ],
)
celery.conf.update(
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    # The broker has acknowledged a message before `delay` returns.
    broker_transport_options={"confirm_publish": True},
    result_expires=24 * 60 * 60,
    task_default_queue=settings.CELERY_QUEUE,
    # A task of a worker that was killed is done by another one.
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_time_limit=10 * 60,
    beat_schedule={
        "usage": {"task": "app.tasks.users.report_usage", "schedule": crontab(minute="0")}
    },
)
