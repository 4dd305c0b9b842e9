"""Data of people's own: sending them, looking at what is understood of them, taking them away."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from quanvolve.studio import _deletion
from quanvolve.studio._forms import DataOut, DataRequest, Id, LookRequest, Rename, Understood
from quanvolve.studio._requests import data_options
from quanvolve.studio._samples import sampled
from quanvolve.studio._studio import Studio, Use
from quanvolve.studio._tables import Upload

router = APIRouter(prefix="/api/v1/data", tags=["Your data"])
LookId = Annotated[str, Path(pattern=r"^[0-9a-f]{16}$", description="Of `look`.", examples=["0123456789abcdef"])]
_FILES: dict[str, Any] = {
    "type": "object", "required": ["files"],
    "properties": {"files": {"type": "array", "items": {"type": "string", "format": "binary"},
                             "description": "With their paths in the data set as names."}},
}  # fmt: skip


@router.get("", operation_id="own_data")
def own_data(studio: Use) -> list[DataOut]:
    """The data sets that were uploaded, newest first."""
    return [_out(row) for row in studio.data.all()]


@router.post("", operation_id="add_data", status_code=201, **sampled(body={"name": "My photographs"}))
def add_data(studio: Use, request: DataRequest) -> DataOut:
    """Begin a data set; its files are sent next."""
    return _out(studio.data.add(request.name, request.files))


@router.get("/{data}", operation_id="own_data_set")
def own_data_set(studio: Use, data: Id) -> DataOut:
    """One data set."""
    return _out(studio.data.get(data))


@router.post("/{data}/files", operation_id="add_files", **sampled(files=True, form=_FILES))
async def add_files(studio: Use, data: Id, request: Request) -> DataOut:
    """Add files to a data set: all of a request, or none. They go to the disk as they come; a ZIP file is unpacked.

    Anything that `quanvolve train` reads: pictures in folders of classes, tables, `.npz`, `.ts` and others.
    """
    return _out(await studio.data.take(data, request.stream(), request.headers.get("content-type", "")))


@router.post("/{data}/look", operation_id="look", **sampled(body={}))
async def look(studio: Use, data: Id, request: LookRequest) -> Understood:
    """Say what is understood of a data set, as `quanvolve look` does, before anything is trained on it."""
    understood = await studio.looks.look(data, data_options(request))
    await run_in_threadpool(_noted, studio, data, request)
    return Understood(**understood)


def _noted(studio: Studio, data: str, request: LookRequest) -> None:
    studio.data.seen(data, request.model_dump(exclude_defaults=True))


@router.get(
    "/{data}/pictures/{look}",
    operation_id="look_picture",
    response_class=Response,
    responses={200: {"content": {"image/png": {"schema": {"type": "string", "format": "binary"}}}}},
    **sampled(saved="look.png"),
)
def look_picture(studio: Use, data: Id, look: LookId, dark: bool = False) -> Response:
    """The picture of a look at a data set: samples of each class, and counts."""
    return Response(studio.looks.picture(data, look, dark=dark), media_type="image/png")


@router.patch("/{data}", operation_id="rename_data", **sampled(body={"name": "My photographs, sorted"}))
def rename_data(studio: Use, data: Id, request: Rename) -> DataOut:
    """Give a data set another name."""
    return _out(studio.data.rename(data, request.name))


@router.delete("/{data}", operation_id="delete_data", status_code=204)
def delete_data(studio: Use, data: Id) -> None:
    """Delete a data set with its files; not while a job needs it. Models that were trained on it stay."""
    _deletion.delete_data(data, studio.settings, studio.engine)


def _out(row: Upload) -> DataOut:
    return DataOut(**row.model_dump())
