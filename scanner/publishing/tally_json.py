"""tally.json: the sums of a count as a file that stands alone.

It says what was counted, with which program, forms and settings, and how the sums close. It
carries no vote of a single sheet. ``tally.schema.json`` beside this module describes it.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema

from scanner import __version__
from scanner.counting.adjudication import answers
from scanner.counting.results import tally_count
from scanner.counting.store import Store
from scanner.counting.tally import ContestTally, FormTally, Tally, percent
from scanner.errors import TallyMismatchError
from scanner.forms.template import Contest, Form
from scanner.messages import gettext as _

SCHEMA_FILE = Path(__file__).with_name("tally.schema.json")
FORMAT_VERSION = 1


def build_tally(store: Store, forms: list[Form], at: datetime) -> dict[str, Any]:
    """The tally of a count as plain data.

    Args:
        store: The count.
        forms: The count's forms.
        at: When it is made, with a time zone.
    """
    info = store.info()
    tally = tally_count(store, forms)
    settings = store.settings_in_force()
    return {
        "format": FORMAT_VERSION,
        "program": {"name": "kiemphieu", "version": __version__},
        "generated_at": at.isoformat(timespec="seconds"),
        "count": {
            "name": store.folder.resolve().name,
            "created_at": info.created.isoformat(timespec="seconds"),
            "created_with": info.program,
        },
        "is_provisional": tally.is_provisional,
        "closes": tally.closes,
        "sheets": _sheets(tally),
        "gaps": [
            {
                "what": gap.what,
                "figure": gap.figure,
                "other": gap.other,
                "other_figure": gap.other_figure,
            }
            for gap in tally.gaps()
        ],
        "forms": [_form(form, sums) for form, sums in zip(forms, tally.forms, strict=True)],
        "decisions": _decisions(store),
        "batches": [
            {
                "batch": batch.id,
                "files": len(batch.request.paths()),
                "pages": store.count_pages(batch.id)[0],
                "settings": json.loads(settings[batch.id]),
            }
            for batch in store.batches()
        ],
        "limit_changes": [
            {
                "at": change.at.isoformat(timespec="seconds"),
                "by": change.by,
                "why": change.why,
                "batch": change.batch,
                "settings": json.loads(change.settings),
            }
            for change in store.limit_changes()
        ],
    }


def check_tally(data: Any) -> None:
    """See that data has the form of a tally.

    Raises:
        TallyMismatchError: It has not; the message names the place.
    """
    schema = json.loads(SCHEMA_FILE.read_text(encoding="utf-8"))
    fault = next(jsonschema.Draft202012Validator(schema).iter_errors(data), None)
    if fault is not None:
        raise TallyMismatchError(
            _("This is no tally: {place}: {fault}").format(
                place=fault.json_path, fault=fault.message
            )
        )


def _sheets(tally: Tally) -> dict[str, Any]:
    return {
        "issued": tally.issued,
        "collected": tally.collected,
        "scanned": tally.scanned,
        "clean": tally.clean,
        "decided": tally.decided,
        "in_doubt": tally.in_doubt,
        "refused": tally.refused,
        "counted": tally.counted,
        "blank_pages": tally.blank_pages,
        "refused_by_reason": tally.refused_by_reason,
    }


def _form(form: Form, sums: FormTally) -> dict[str, Any]:
    return {
        "id": form.id,
        "title": form.title,
        "version": form.version,
        "hash": form.content_hash,
        "sheets": {
            "clean": sums.clean,
            "decided": sums.decided,
            "in_doubt": sums.in_doubt,
            "counted": sums.counted,
        },
        "contests": [
            _contest(contest, figures)
            for contest, figures in zip(form.contests, sums.contests, strict=True)
        ],
    }


def _contest(contest: Contest, figures: ContestTally) -> dict[str, Any]:
    return {
        "id": contest.id,
        "title": contest.title,
        "max": contest.max,
        "counted": figures.counted,
        "options": [
            {
                "id": option.id,
                "label": option.label,
                "votes": figures.options[option.id],
                "percent": percent(figures.options[option.id], figures.counted),
            }
            for option in contest.options
        ],
        "blank": figures.blank,
        "overvote": figures.overvote,
        "undervotes": figures.undervotes,
        "in_doubt": figures.in_doubt,
    }


def _decisions(store: Store) -> list[dict[str, Any]]:
    """Who decided how much."""
    made: Counter[str] = Counter()
    sheets: dict[str, set[int]] = {}
    for sheet, decisions in store.decisions().items():
        for decision in answers(decisions):
            made[decision.by] += 1
            sheets.setdefault(decision.by, set()).add(sheet)
    return [
        {"by": name, "decisions": made[name], "sheets": len(sheets[name])} for name in sorted(made)
    ]
