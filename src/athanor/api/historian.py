"""Damaged files of samples: which they are, doing without one, putting one back. For the park's administrators."""

from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Self

from fastapi import APIRouter, Depends, HTTPException, Request
from pydantic import BaseModel, ConfigDict, Field

from athanor.kernel.historian.port import DamagedFileError
from athanor.kernel.historian.setaside import SetAside
from athanor.kernel.historian.tiered import TieredHistorian
from athanor.kernel.identity.audit import record
from athanor.web.routes import DatabasePort, Handed, Viewer, permits

SET_ASIDE, PUT_BACK = "historian.file-set-aside", "historian.file-put-back"  # in the audit trail


async def of_the_park(viewer: Viewer) -> None:
    """A file holds samples of all tenants, so none of them decides about it."""
    if viewer.tenant is not None:
        raise HTTPException(
            HTTPStatus.FORBIDDEN,
            {"code": "web.forbidden", "message": "Files of samples are looked after by the park's own administrators."},
        )


router = APIRouter(
    prefix="/api/v1/historian",
    tags=["historian"],
    dependencies=[Depends(permits("historian.administer")), Depends(of_the_park)],
)
_Files = Annotated[TieredHistorian, Depends(Handed("historian"))]


class DamagedAnswer(BaseModel):
    """A file that cannot be read."""

    path: str
    reason: str

    @classmethod
    def of(cls, error: DamagedFileError) -> Self:
        """What an error says of its file."""
        return cls(path=error.path, reason=error.reason)


class SetAsideAnswer(BaseModel):
    """A file that is set aside: since when and why, and what is missing with it."""

    name: str
    at: str
    reason: str
    rows: int
    least: dict[str, str]
    greatest: dict[str, str]

    @classmethod
    def of(cls, file: SetAside) -> Self:
        """A note as it is sent."""
        return cls(**asdict(file))


class Wish(BaseModel):
    """Which file, by its name or its whole path."""

    model_config = ConfigDict(extra="forbid")

    file: str = Field(min_length=1, max_length=1000)


class DoneAnswer(BaseModel):
    """The file's name in the table."""

    name: str


@router.get("/damaged")
async def damaged(historian: _Files) -> list[DamagedAnswer]:
    """Every file of samples that cannot be read. All are tried, which takes as long as reading everything does."""
    return [DamagedAnswer.of(error) for error in await historian.damaged_files()]


@router.get("/set-aside")
async def files_set_aside(historian: _Files) -> list[SetAsideAnswer]:
    """The files of samples that queries do without."""
    return [SetAsideAnswer.of(file) for file in await historian.files_set_aside()]


@router.post("/set-aside")
async def set_aside(
    wish: Wish, historian: _Files, database: DatabasePort, viewer: Viewer, request: Request
) -> DoneAnswer:
    """Do without a damaged file: queries that need it go on, and lack its samples."""
    name = await historian.set_aside(wish.file)
    async with database.session() as session:
        record(session, viewer.login, SET_ASIDE, name, address=_address(request))
    return DoneAnswer(name=name)


@router.post("/put-back")
async def put_back(
    wish: Wish, historian: _Files, database: DatabasePort, viewer: Viewer, request: Request
) -> DoneAnswer:
    """Take a file that was set aside, and is whole again, back among the others."""
    name = await historian.put_back(wish.file)
    async with database.session() as session:
        record(session, viewer.login, PUT_BACK, name, address=_address(request))
    return DoneAnswer(name=name)


def _address(request: Request) -> str:
    return request.client.host if request.client is not None else ""
