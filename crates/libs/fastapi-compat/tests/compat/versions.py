"""Which operations an older release cannot have. The oracle neither calls nor compares those."""

import fastapi as fastapi_module
import pydantic as pydantic_module

LEFT_OUT: list[str] = []


def release(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".") if part.isdecimal())


def has(*operations: str, fastapi: str = "0", pydantic: str = "0") -> bool:
    """Whether these releases or newer ones are installed; if not, the operations are left out."""
    is_there = release(fastapi_module.__version__) >= release(fastapi)
    is_there = is_there and release(pydantic_module.VERSION) >= release(pydantic)
    if not is_there:
        LEFT_OUT.extend(operations)
    return is_there
