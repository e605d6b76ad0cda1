"""Errors in HTTP bodies, as RFC 9457 writes them: ``application/problem+json``.

Beside ``type``, ``title``, ``status`` and ``detail`` they say what was ``expected``, what was ``found`` and ``where``. What the
peer sent is described by its shape, never quoted: it may be a telephone number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import ValidationError
from sqlalchemy.exc import DataError, OperationalError
from starlette.exceptions import HTTPException

from engine.server.entrance import Refused

HEADERS: Final = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
"""Of every answer."""

_TYPE: Final = "urn:callwright:problem:"


class Problem(Exception):
    """A request that can't be answered as it was meant; becomes the response's body."""

    def __init__(self, status: HTTPStatus, name: str, detail: str, **more: str) -> None:
        """``name`` ends the problem's type, which is stable; ``more`` is any of ``expected``, ``found`` and ``where``."""
        super().__init__(detail)
        self.status, self.name, self.detail, self.more = status, name, detail, more
        self.headers: Mapping[str, str] = {}

    def with_headers(self, **headers: str) -> Problem:
        """The same, with headers; ``_`` stands for ``-``."""
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return self

    @property
    def response(self) -> JSONResponse:
        """As it is sent."""
        title = self.name.replace("-", " ").capitalize()
        body = {"type": f"{_TYPE}{self.name}", "title": title, "status": self.status, "detail": self.detail, **self.more}
        return JSONResponse(body, self.status, {**HEADERS, **self.headers}, "application/problem+json")


def invalid(error: ValidationError) -> Problem:
    """What is wrong with a body, field by field; no value is quoted."""
    return _wrong(error.errors(include_input=False, include_url=False, include_context=False))


def _wrong(wrong: Sequence[Any]) -> Problem:
    where = ", ".join(".".join(map(str, one["loc"])) or "body" for one in wrong)
    detail = "; ".join(f"{'.'.join(map(str, one['loc'])) or 'body'}: {one['msg']}" for one in wrong)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, where=where)


def unfit(detail: str, where: str) -> Problem:
    """What was sent can't be."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "invalid-request", detail, where=where)


def refused(name: str, detail: str) -> Problem:
    """It can't be done as things stand, or the rules don't allow it."""
    return Problem(HTTPStatus.CONFLICT, name, detail)


def speaks_problems(app: FastAPI) -> None:
    """Let an application answer every error so: ours, the framework's, and bugs."""

    @app.exception_handler(Problem)
    async def ours(_: Request, problem: Problem) -> JSONResponse:
        return problem.response

    @app.exception_handler(Refused)
    async def not_let_through(_: Request, refusal: Refused) -> JSONResponse:
        status = HTTPStatus(refusal.status)
        return Problem(status, status.phrase.lower().replace(" ", "-"), refusal.said.strip()).response

    @app.exception_handler(RequestValidationError)
    async def not_understood(_: Request, error: RequestValidationError) -> JSONResponse:
        return _wrong(error.errors()).response

    @app.exception_handler(OperationalError)
    async def away(_: Request, __: OperationalError) -> JSONResponse:
        detail = "The database can't be reached; ask again later."
        return Problem(HTTPStatus.SERVICE_UNAVAILABLE, "not-now", detail).with_headers(Retry_After="5").response

    @app.exception_handler(DataError)
    async def holds_no_such_thing(request: Request, _: DataError) -> JSONResponse:
        """PostgreSQL's texts have no NUL, and its numbers an end."""
        detail = "Something in it is what the database can't hold: a NUL character, or too large a number."
        return unfit(detail, f"{request.method} {request.url.path[:128]}").response

    @app.exception_handler(HTTPException)
    async def frameworks(request: Request, error: HTTPException) -> JSONResponse:
        status = HTTPStatus(error.status_code)
        name = status.phrase.lower().replace(" ", "-")
        problem = Problem(status, name, status.description or status.phrase, where=f"{request.method} {request.url.path[:128]}")
        problem.headers = error.headers or {}
        return problem.response

    @app.exception_handler(Exception)
    async def bug(_: Request, __: Exception) -> JSONResponse:
        return Problem(HTTPStatus.INTERNAL_SERVER_ERROR, "internal-error", "A bug of ours; the log knows more.").response
