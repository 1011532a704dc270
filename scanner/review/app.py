"""The application: every route behind one door, every error in words."""

from __future__ import annotations

import mimetypes
from collections.abc import Iterable
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote

from fastapi import APIRouter, Depends, FastAPI, Request, params
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, RedirectResponse, Response
from fastapi.staticfiles import StaticFiles
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Scope

from scanner.errors import ExitCode, KiemPhieuError
from scanner.messages import gettext as _
from scanner.review import (
    routes_check,
    routes_desk,
    routes_log,
    routes_people,
    routes_pictures,
    routes_progress,
    routes_refused,
    routes_sign_in,
    routes_wall,
    routes_words,
)
from scanner.review.context import (
    HTTP_SEE_OTHER,
    STATIC,
    Desk,
    NotInsideError,
    NotSignedInError,
    Problem,
    new_environment,
    observers_only_look,
    show,
)
from scanner.review.pictures import NoSuchPictureError
from scanner.review.security import Door, Guard, check_csrf

STATUS_OF = {
    ExitCode.BAD_ARGUMENTS: 400,
    ExitCode.BAD_INPUT: 422,
    ExitCode.MISSING_TOOL: 501,
    ExitCode.STORAGE: 507,
    ExitCode.BAD_FORM: 422,
    ExitCode.BAD_COUNT: 409,
}
"""The HTTP status of each kind of error; any other is 500."""
SAID = (400, 401, 403, 404, 405, 409, 413, 421, 422, 429, 500, 501, 507)

ROUTERS = (
    routes_sign_in.router,
    routes_pictures.router,
    routes_progress.router,
    routes_desk.router,
    routes_refused.router,
    routes_wall.router,
    routes_check.router,
    routes_words.router,
    routes_log.router,
    routes_people.router,
)


def create_app(desk: Desk, guard: Guard) -> FastAPI:
    """The server of one count.

    Args:
        desk: The count.
        guard: Who may come in.
    """
    app = new_app(guard, ROUTERS, [Depends(observers_only_look)])
    app.state.desk = desk
    return app


def new_app(
    guard: Guard, routers: Iterable[APIRouter], conditions: Iterable[params.Depends] = ()
) -> FastAPI:
    """An application behind the door, with some routes and the entrance.

    Args:
        guard: Who may come in.
        routers: What is served besides the entrance and the static files.
        conditions: What every request has to meet, besides the token of its session.
    """
    # Windows takes the kinds of files from its registry, where anything may stand.
    mimetypes.add_type("text/javascript", ".js")
    mimetypes.add_type("text/css", ".css")
    # Written out: a model would be described in the kind of the route's own answers.
    problem = {"application/json": {"schema": Problem.model_json_schema()}}
    said: dict[int | str, dict[str, Any]] = {
        status: {"description": HTTPStatus(status).phrase, "content": problem} for status in SAID
    }
    app = _Guarded(
        guard,
        title="Kiểm Phiếu",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        dependencies=[Depends(check_csrf), *conditions],
        responses=said,
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.templates = new_environment()
    app.state.guard = guard
    served = [routes_sign_in.entrance, *routers]
    for router in served:
        app.include_router(router)
    app.state.routers = served
    app.mount("/static", _Static(directory=STATIC), name="static")
    app.add_exception_handler(Exception, _say_unexpected)
    for kind, handler in (
        (KiemPhieuError, _say_error),
        (HTTPException, _say_http),
        (RequestValidationError, _say_invalid),
        (NotSignedInError, _lead_to_sign_in),
        (NotInsideError, _lead_to_entrance),
    ):
        app.add_exception_handler(kind, handler)
    return app


class _Guarded(FastAPI):
    """An application of which every answer leaves by the door, those to its own errors too."""

    def __init__(self, guard: Guard, **settings: Any) -> None:
        self._guard = guard
        super().__init__(**settings)

    def build_middleware_stack(self) -> ASGIApp:
        return Door(super().build_middleware_stack(), self._guard)


class _Static(StaticFiles):
    """Style and scripts: asked for again each time, sent again only when they have changed."""

    def file_response(self, *args: Any, **kwargs: Any) -> Response:
        response = super().file_response(*args, **kwargs)
        response.headers["Cache-Control"] = "no-cache"
        return response

    def get_path(self, scope: Scope) -> str:
        path = super().get_path(scope)
        return path if Path(path).suffix in {".css", ".js", ".svg"} else ""


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer, and not a script."""
    return "text/html" in request.headers.get("accept", "")


def _problem(
    request: Request, status: int, message: str, remedy: str = "", **headers: str
) -> Response:
    if wants_page(request):
        page = show(request, "problem.html", status=status, message=message, remedy=remedy)
        page.headers.update(headers)
        return page
    content = Problem(message=message, remedy=remedy).model_dump()
    return JSONResponse(content, status, headers)


def _say_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, KiemPhieuError)
    status = STATUS_OF.get(error.exit_code, 500)
    status = 404 if isinstance(error, NoSuchPictureError) else status
    return _problem(request, status, error.message, error.remedy)


def _say_http(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    usual = {
        404: _("There is no such page."),
        405: _("This cannot be done here."),
    }
    message = usual.get(error.status_code, error.detail)
    return _problem(request, error.status_code, message, **dict(error.headers or {}))


def _say_invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    fields = sorted({".".join(str(step) for step in fault["loc"][1:]) for fault in error.errors()})
    return _problem(
        request,
        422,
        _("The server does not understand what was sent: {fields}.").format(
            fields=", ".join(name for name in fields if name) or "?"
        ),
        _("Open the page again and try once more; nothing was changed."),
    )


def _say_unexpected(request: Request, _error: Exception) -> Response:
    return _problem(
        request,
        500,
        _("Something went wrong in the program. What was saved before is safe."),
        _("Try again. If it happens again, send the text in the program's window to its makers."),
    )


def _lead_to_sign_in(request: Request, _error: Exception) -> Response:
    if request.method == "GET" and wants_page(request):
        return RedirectResponse(f"/sign-in?next={quote(_asked(request))}", HTTP_SEE_OTHER)
    return _problem(request, 401, _("You are signed out. Nothing was saved."))


def _lead_to_entrance(request: Request, _error: Exception) -> Response:
    if request.method == "GET" and wants_page(request):
        return RedirectResponse("/entrance", HTTP_SEE_OTHER)
    return _problem(request, 401, _("This browser has not come in."))


def _asked(request: Request) -> str:
    query = f"?{request.url.query}" if request.url.query else ""
    return f"{request.url.path}{query}"
