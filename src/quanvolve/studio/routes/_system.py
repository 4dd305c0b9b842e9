"""About the studio itself."""

from __future__ import annotations

from fastapi import APIRouter
from starlette.responses import Response

from quanvolve import __version__
from quanvolve.studio._forms import About, CompareRequest, Health
from quanvolve.studio._studio import Use
from quanvolve.study import contenders_for, least_seeds

router = APIRouter(tags=["The studio"])


@router.get("/api/v1/about", operation_id="about")
def about(studio: Use) -> About:
    """Version, counts, and what comparisons can be made of."""
    controls = {contender.name: contender.summary for contender in contenders_for({}, None)[1:]}
    return About(
        version=__version__,
        models=len(studio.store.all()),
        jobs=studio.jobs.counts(),
        workers=studio.settings.workers,
        controls=controls,
        comparison=CompareRequest.model_validate({"kind": "compare"}).model_dump(exclude={"kind"}),
        least_seeds=[least_seeds(number + 1) for number in range(len(controls))],
    )


@router.get("/healthz", operation_id="health")
async def health(studio: Use) -> Health:
    """Whether the studio and its database answer."""
    await studio.alive()
    return Health(status="ok", version=__version__)


@router.get(
    "/metrics",
    operation_id="metrics",
    response_class=Response,
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
)
def metrics(studio: Use) -> Response:
    """Requests, batches and jobs, for Prometheus."""
    counts = studio.jobs.counts()
    for state in ("queued", "running", "stopped", "done", "failed"):
        studio.meters.jobs.labels(state).set(counts.get(state, 0))
    return Response(studio.meters.text(), media_type="text/plain; version=0.0.4")
