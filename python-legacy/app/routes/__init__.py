from fastapi import APIRouter

from app.config import settings
from app.routes import items, login, private, users, utils

router = APIRouter()
router.include_router(login.router)
router.include_router(users.router)
router.include_router(utils.router)
# [with items]
router.include_router(items.router)
# [end]

if settings.ENVIRONMENT == "local":
    router.include_router(private.router)
