from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Header, HTTPException


@dataclass
class Tenant:
    id: int


def current_tenant(x_tenant: Annotated[int | None, Header()] = None) -> Tenant:
    if x_tenant is None:
        raise HTTPException(401, "No tenant")
    return Tenant(x_tenant)


CurrentTenant = Annotated[Tenant, Depends(current_tenant)]
