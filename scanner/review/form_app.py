"""The server of the form's page: one form, whoever came in by the address may correct it."""

from __future__ import annotations

from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from scanner.registering.bench import Bench, OutOfDateError
from scanner.review import routes_form
from scanner.review.app import new_app
from scanner.review.context import Problem
from scanner.review.security import Guard


def create_form_app(bench: Bench, guard: Guard) -> FastAPI:
    """The server of one form that is being corrected.

    Args:
        bench: Where it is corrected.
        guard: Who may come in; people and counts are not needed.
    """
    app = new_app(guard, [routes_form.router])
    app.state.bench = bench
    app.add_exception_handler(OutOfDateError, _say_out_of_date)
    return app


def _say_out_of_date(_request: Request, error: Exception) -> Response:
    assert isinstance(error, OutOfDateError)
    return JSONResponse(Problem(message=error.message, remedy=error.remedy).model_dump(), 409)
