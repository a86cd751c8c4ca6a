from app.projects.router import router

__all__ = ["router"]
