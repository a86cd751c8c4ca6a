from app.tasks.router import router

__all__ = ["router"]
