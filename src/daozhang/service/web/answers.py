"""Answers of API calls that are written once: what the framework would check again is left out."""

from __future__ import annotations

from pydantic import BaseModel
from starlette.responses import Response


def answer(body: BaseModel, status: int = 200) -> Response:
    """``body`` as JSON. For routes that are called for every payment.

    A route that returns a model has it checked and written a second time, in a thread of its own.
    """
    return Response(body.model_dump_json(), status, media_type="application/json")
