"""The addresses of the desk, with the filters that go along from one doubt to the next."""

from __future__ import annotations

from typing import Annotated, Any
from urllib.parse import quote, urlencode

from fastapi import Depends, HTTPException, Query
from pydantic import BeforeValidator, Field

from scanner.ballot import Reason
from scanner.counting.queue import Filter, Pile, Place
from scanner.messages import gettext as _

HIGHEST = 2**53
"""Numbers beyond are no numbers of sheets, and the database takes no larger ones."""
LONGEST_ID = 200


def _none_if_empty(value: Any) -> Any:
    return None if value == "" else value


_Unset = BeforeValidator(_none_if_empty)
Text = Annotated[Annotated[str, Field(max_length=2 * LONGEST_ID)] | None, _Unset, Query()]


def wanted_of(
    pile: Annotated[Pile | None, _Unset] = None,
    reason: Annotated[Reason | None, _Unset] = None,
    form: Text = None,
    batch: Annotated[Annotated[int, Field(ge=0, le=HIGHEST)] | None, _Unset] = None,
    question: Text = None,
) -> Filter:
    """The filters that an address names.

    Raises:
        HTTPException: 422; a question without its form.
    """
    if question is None:
        return Filter(pile, reason, form, batch)
    form_id, slash, contest = question.partition("/")
    if not slash:
        raise HTTPException(422, _("There is no such question."))
    return Filter(pile, reason, form, batch, (form_id, contest))


Wanted = Annotated[Filter, Depends(wanted_of)]
"""The filters that a request names."""


def query_of(wanted: Filter, **changes: str | int | None) -> str:
    """The filters as the end of an address; None takes one away."""
    values: dict[str, str | int | None] = {
        "pile": wanted.pile,
        "reason": wanted.reason,
        "form": wanted.form,
        "batch": wanted.batch,
        "question": "/".join(wanted.question) if wanted.question else None,
    }
    set_ = {name: value for name, value in (values | changes).items() if value is not None}
    return f"?{urlencode(set_)}" if set_ else ""


def queue_address(wanted: Filter, **changes: str | int | None) -> str:
    """Where the queue is seen with these filters."""
    return f"/desk{query_of(wanted, **changes)}"


def place_address(place: Place, wanted: Filter) -> str:
    """Where a doubt is seen; its neighbours are those that the filters leave."""
    sheet, contest = place
    path = f"/desk/{sheet}" if contest is None else f"/desk/{sheet}/{quote(contest, safe='')}"
    return path + query_of(wanted)
