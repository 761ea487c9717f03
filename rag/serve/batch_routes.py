"""HTTP: batches of questions, their progress and their results."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import JSONResponse, Response

from rag.errors import InvalidRequest
from rag.serve.jobs import Job, Jobs
from rag.serve.schemas import BatchBody, BatchQuestion, Body, FailureBody
from rag.serve.service import Service


class JobBody(Body):
    """Where a batch stands; `result` is where its answers so far are read, one JSON object a line."""

    id: str
    status: str = Field(description="queued, running, cancelling, cancelled, done or failed")
    questions: int
    answered: int
    rate_per_s: float
    seconds_left: float | None
    error: FailureBody | None
    result: str


def router(service: Service, jobs: Jobs) -> APIRouter:
    """The routes over the batches of a server."""
    routes = APIRouter(prefix="/v1", tags=["batches"])
    told: Any = {"model": JobBody}

    @routes.post("/batch", status_code=202, responses={202: told})
    def submit(body: BatchBody) -> Response:
        """Take questions to be answered in the background; the answer tells the id to ask by."""
        job = jobs.submit(
            [_row(each, service) for each in _bounded(body, service.limits.batch_questions_max)]
        )
        record = job_dict(job, time.monotonic())
        return JSONResponse(record, 202, {"location": f"/v1/batch/{record['id']}"})

    @routes.get("/batch")
    def listed() -> Response:
        """Every batch the server still knows, oldest first."""
        return JSONResponse({"batches": [job_dict(job, time.monotonic()) for job in jobs.all()]})

    @routes.get("/batch/{name}", responses={200: told})
    def status(name: str) -> Response:
        """How far a batch is."""
        return JSONResponse(job_dict(jobs.get(name), time.monotonic()))

    @routes.get("/batch/{name}/result")
    def result(name: str) -> Response:
        """The answers so far, one a line, in the order of the questions; all when the status is `done`."""
        return Response(jobs.get(name).folder.whole_lines(), media_type="application/x-ndjson")

    @routes.delete("/batch/{name}", responses={200: told})
    def cancel(name: str) -> Response:
        """Stop a batch, keeping its answers so far; forget one that has ended."""
        return JSONResponse(job_dict(jobs.cancel(name), time.monotonic()))

    return routes


def job_dict(job: Job, now_s: float) -> dict[str, Any]:
    """Where a batch stands, as JSON."""
    name, rate = job.folder.path.name, job.rate_per_s(now_s)
    running = job.status == "running"
    return {
        "id": name,
        "status": job.status,
        "questions": job.total,
        "answered": job.done,
        "rate_per_s": round(rate, 4) if running else 0.0,
        "seconds_left": round((job.total - job.done) / rate, 1) if running and rate else None,
        "error": asdict(job.end.error) if job.end and job.end.error else None,
        "result": f"/v1/batch/{name}/result",
    }


def _bounded(body: BatchBody, questions_max: int) -> list[str | BatchQuestion]:
    if len(body.questions) > questions_max:
        raise InvalidRequest(
            f"The batch has {len(body.questions):,} questions; {questions_max:,} are allowed.",
            hint="Send it in parts, or use `citewise batch` for files; "
            "CITEWISE_SERVE_BATCH_QUESTIONS_MAX raises the limit.",
        )
    return body.questions


def _row(asked: str | BatchQuestion, service: Service) -> Mapping[str, object]:
    """A row of a question file."""
    if isinstance(asked, str):
        return {"question": service.checked(asked)}
    row: dict[str, object] = {"question": service.checked(asked.question)}
    if asked.id is not None:
        row["id"] = asked.id
    if asked.history:
        row["history"] = [message.model_dump() for message in asked.history]
    return row
