from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException
from pydantic import BaseModel, ConfigDict, Field, computed_field
from sqlalchemy import select

from app.core.database import database
from app.core.tenant import CurrentTenant
from app.projects.models import Project


class ProjectIn(BaseModel):
    slug: str = Field(pattern=r"^[a-z0-9-]+$", max_length=60)
    title: str = Field(max_length=200)


class ProjectOut(ProjectIn):
    model_config = ConfigDict(from_attributes=True)
    id: int

    @computed_field
    @property
    def path(self) -> str:
        return f"/projects/{self.slug}"


class ProjectRow(BaseModel):
    model_config = ConfigDict(from_attributes=True)
    id: int
    slug: str
    title: str
    archived: bool


class Projects:
    """Endpoints as methods of a class."""

    def __init__(self) -> None:
        self.router = APIRouter(prefix="/projects", tags=["projects"])
        self.router.add_api_route("/{id}", self.read, response_model=ProjectOut)
        self.router.add_api_route("", self.list, response_model=list[ProjectRow])
        self.router.add_api_route(
            "", self.create, methods=["POST"], response_model=ProjectRow, status_code=201
        )

    async def read(
        self, id: int, tenant: CurrentTenant, session: Annotated[Any, Depends(database)]
    ) -> Any:
        found = await session.scalar(
            select(Project).where(Project.id == id, Project.tenant_id == tenant.id)
        )
        if found is None:
            raise HTTPException(404, "Project not found")
        return found

    async def list(
        self,
        tenant: CurrentTenant,
        session: Annotated[Any, Depends(database)],
        skip: int = 0,
        limit: int = 50,
    ) -> Any:
        query = select(Project).where(Project.tenant_id == tenant.id)
        found = await session.scalars(query.order_by(Project.id).offset(skip).limit(limit))
        return found.all()

    async def create(
        self, body: ProjectIn, tenant: CurrentTenant, session: Annotated[Any, Depends(database)]
    ) -> Any:
        project = Project(**body.model_dump(), tenant_id=tenant.id)
        session.add(project)
        await session.commit()
        await session.refresh(project)
        return project


router = Projects().router
