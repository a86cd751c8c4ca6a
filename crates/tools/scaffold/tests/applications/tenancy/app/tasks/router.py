from fastapi import APIRouter, WebSocket

from app.core.tenant import CurrentTenant
from app.tasks.models import Task

router = APIRouter(prefix="/tasks", tags=["tasks"])


@router.websocket("/feed/{project_id}")
async def feed(websocket: WebSocket, project_id: int) -> None:
    await websocket.accept()
    await websocket.send_json({"project": project_id, "model": Task.__name__})


@router.get("/files/{name:path}", include_in_schema=False)
async def file(name: str, tenant: CurrentTenant) -> dict[str, str]:
    return {"name": name}
