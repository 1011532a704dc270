"""tally.json: the sums of a count as a file that stands alone.

It says whose count it is and of which period, what was counted, with which program, forms and
settings, and how the sums close. It carries no vote of a single sheet. ``tally.schema.json`` beside
this module describes it, ``tally-1.schema.json`` what versions before 2 wrote, which is still read.
"""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema

from scanner.counting.adding import BY_UNIT
from scanner.counting.rules import answer_shares
from scanner.counting.store import Store
from scanner.counting.tally import Gap
from scanner.counting.tally_file import (
    TallyBreakdown,
    TallyContest,
    TallyFile,
    TallyForm,
    TallyGroup,
    TallySheets,
    TallyUnit,
)
from scanner.counting.tally_making import TallyHeading, make_tally
from scanner.counting.weighing import weight_text, weighted_shares
from scanner.errors import BadArgumentsError, TallyMismatchError, UnreadableFileError
from scanner.forms.template import Form
from scanner.forms.workshop import open_whole
from scanner.messages import gettext as _
from scanner.publishing.tally_parsing import parse_tally

SCHEMA_FILE = Path(__file__).with_name("tally.schema.json")
OLD_SCHEMA_FILE = Path(__file__).with_name("tally-1.schema.json")
FORMAT_VERSION = 2


def read_tally(path: Path) -> TallyFile:
    """A tally from its file, of this version or of one before.

    Args:
        path: The file.

    Raises:
        UnreadableFileError: The file cannot be read or is no JSON.
        TallyMismatchError: It is no tally, of a newer version, or its sums do not hold.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UnreadableFileError(
            _("The file cannot be read ({reason}).").format(reason=error.strerror or error),
            path=path,
        ) from error
    return tally_of_bytes(content, path)


def tally_of_bytes(content: bytes, path: Path) -> TallyFile:
    """A tally from the bytes of its file.

    Args:
        content: The bytes.
        path: Where they are from, for messages.

    Raises:
        UnreadableFileError: They are no JSON.
        TallyMismatchError: They are no tally, of a newer version, or its sums do not hold.
    """
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise UnreadableFileError(_("This is no JSON file."), path=path) from error
    try:
        check_tally(data)
        tally = parse_tally(data)
        _check_sums(tally)
        _check_weights(tally)
    except (BadArgumentsError, TallyMismatchError) as error:
        raise TallyMismatchError(error.message, remedy=error.remedy, path=path) from error
    return replace(tally, sha256=hashlib.sha256(content).hexdigest(), file=path.name)


def write_tally(tally: TallyFile, path: Path) -> None:
    """Write a tally.

    Args:
        tally: What to write.
        path: The file; its folder is made.

    Raises:
        StorageError: It cannot be written there.
    """
    data = tally_data(tally)
    check_tally(data)
    with open_whole(path) as file, io.TextIOWrapper(file, "utf-8", newline="") as stream:
        json.dump(data, stream, ensure_ascii=False, indent=2)
        stream.write("\n")


def build_tally(
    store: Store, forms: Sequence[Form], at: datetime, heading: TallyHeading | None = None
) -> dict[str, Any]:
    """The tally of a count as plain data.

    Args:
        store: The count.
        forms: The count's forms.
        at: When it is made, with a time zone.
        heading: What it says about itself beside its figures; without it, nothing.
    """
    return tally_data(make_tally(store, forms, heading or TallyHeading(), at=at))


def check_tally(data: Any) -> None:
    """See that data has the form of a tally.

    Raises:
        TallyMismatchError: It has not; the message names the place.
    """
    version = data.get("format") if isinstance(data, dict) else None
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise TallyMismatchError(
            _("This tally has the format {format}, which this program does not know yet.").format(
                format=version
            ),
            remedy=_("Use the program that made it, or a newer one."),
        )
    schema_file = OLD_SCHEMA_FILE if version == 1 else SCHEMA_FILE
    schema = json.loads(schema_file.read_text(encoding="utf-8"))
    fault = next(jsonschema.Draft202012Validator(schema).iter_errors(data), None)
    if fault is not None:
        raise TallyMismatchError(
            _("This is no tally: {place}: {fault}").format(
                place=fault.json_path, fault=fault.message
            )
        )


def tally_data(tally: TallyFile) -> dict[str, Any]:
    """A tally as plain data, as it is written.

    Raises:
        BadArgumentsError: Its units have weights, and its figures cannot be weighted.
    """
    data = _data(tally)
    if tally.weights:
        data["weights"] = [
            {"unit": _unit(one.unit), "weight": weight_text(one.weight)} for one in tally.weights
        ]
    return data


def _data(tally: TallyFile) -> dict[str, Any]:
    return {
        "format": FORMAT_VERSION,
        "program": {"name": "kiemphieu", "version": tally.program},
        "generated_at": _moment(tally.generated_at),
        "unit": _unit(tally.unit),
        "period": tally.period,
        "count": {
            "name": tally.count,
            "created_at": _moment(tally.created_at),
            "created_with": tally.created_with,
            "log_head": tally.log_head,
        },
        "rule": {
            "denominator": tally.rule.denominator.value,
            "decimals": tally.rule.decimals,
            "rounding": tally.rule.rounding.value,
            "members": tally.rule.members,
        },
        "is_provisional": tally.is_provisional,
        "closes": tally.closes,
        "sheets": _sheets(tally.sheets),
        "gaps": [_gap(gap) for gap in tally.gaps],
        "is_final": tally.is_final,
        "overrides": [
            {"by": one.by, "why": one.why, "at": _moment(one.at)} for one in tally.overrides
        ],
        "forms": [_form(tally, form) for form in tally.forms],
        "smallest_group": tally.smallest_group,
        "breakdowns": [_breakdown(tally, one) for one in tally.breakdowns],
        "decisions": [
            {"by": one.by, "decisions": one.decisions, "sheets": one.sheets}
            for one in tally.decisions
        ],
        "batches": [
            {
                "batch": one.batch,
                "files": one.files,
                "pages": one.pages,
                "settings": dict(one.settings),
            }
            for one in tally.batches
        ],
        "limit_changes": [
            {
                "at": _moment(one.at),
                "by": one.by,
                "why": one.why,
                "batch": one.batch,
                "settings": dict(one.settings),
            }
            for one in tally.limit_changes
        ],
        "sources": [
            {
                "unit": _unit(one.unit),
                "period": one.period,
                "sha256": one.sha256,
                "file": one.file,
                "within": one.within,
                "generated_at": None if one.generated_at is None else _moment(one.generated_at),
                "returned": one.returned,
            }
            for one in tally.sources
        ],
    }


def _check_sums(tally: TallyFile) -> None:
    """See that the figures of a tally make the whole that they say, one place after the other."""
    sheets = tally.sheets
    if not sheets.closes:
        raise TallyMismatchError(
            _(
                "The sums of this tally do not hold: {papers} papers, but {valid} valid, {void}"
                " void and {in_review} in review."
            ).format(
                papers=sheets.paper,
                valid=sheets.valid,
                void=sheets.void,
                in_review=sheets.in_review,
            )
        )
    said = {gap.what for gap in tally.gaps}
    for form, contest in _all_contests(tally):
        place = f"{form}/{contest.id}"
        if not contest.closes and place not in said:
            raise TallyMismatchError(
                _("The sums of this tally do not hold: {place}.").format(place=place)
            )


def _check_weights(tally: TallyFile) -> None:
    """See that weighted shares can be made again of what the tally says.

    Raises:
        BadArgumentsError: They cannot.
    """
    if not tally.weights:
        return
    weighed = [one.unit.id for one in tally.weights]
    units = {
        group.id
        for breakdown in tally.breakdowns
        if breakdown.by == BY_UNIT
        for group in breakdown.groups
    }
    if len(set(weighed)) < len(weighed) or not units <= set(weighed):
        raise BadArgumentsError(_("The weights of this tally are not those of its units."))
    for form in tally.forms:
        for contest in form.contests:
            weighted_shares(tally, form, contest)


def _all_contests(tally: TallyFile) -> list[tuple[str, TallyContest]]:
    own = [(form.id, contest) for form in tally.forms for contest in form.contests]
    parts = [
        (breakdown.form, contest)
        for breakdown in tally.breakdowns
        for group in breakdown.groups
        for contest in group.contests or ()
    ]
    return own + parts


def _moment(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _unit(unit: TallyUnit | None) -> dict[str, str] | None:
    return None if unit is None else {"id": unit.id, "name": unit.name}


def _gap(gap: Gap) -> dict[str, Any]:
    return {
        "what": gap.what,
        "figure": gap.figure,
        "other": gap.other,
        "other_figure": gap.other_figure,
    }


def _sheets(sheets: TallySheets) -> dict[str, Any]:
    return {
        "issued": sheets.issued,
        "collected": sheets.collected,
        "hand_count": sheets.hand_count,
        "scanned": sheets.scanned,
        "clean": sheets.clean,
        "decided": sheets.decided,
        "in_doubt": sheets.in_doubt,
        "refused": sheets.refused,
        "counted": sheets.counted,
        "blank_pages": sheets.blank_pages,
        "not_paper": sheets.not_paper,
        "refused_by_reason": dict(sheets.refused_by_reason),
        "paper": sheets.paper,
        "valid": sheets.valid,
        "void": sheets.void,
        "in_review": sheets.in_review,
        "void_by_reason": dict(sheets.void_by_reason),
    }


def _form(tally: TallyFile, form: TallyForm) -> dict[str, Any]:
    return {
        "id": form.id,
        "title": form.title,
        "version": form.version,
        "hash": form.hash,
        "sheets": {
            "clean": form.clean,
            "decided": form.decided,
            "in_doubt": form.in_doubt,
            "counted": form.counted,
            "valid": form.valid,
            "void": form.void,
            "returned": form.returned,
        },
        "straight_lines": form.straight_lines,
        "contests": [
            _contest(
                contest,
                percents(tally, form, contest),
                _weighted_percents(tally, form, contest) if tally.weights else None,
            )
            for contest in form.contests
        ],
    }


def percents(tally: TallyFile, form: TallyForm, contest: TallyContest) -> list[str]:
    """The share of each option of a contest by the tally's rule, such as ``95.31``."""
    votes = [option.votes for option in contest.options]
    rest = (contest.blank, contest.overvote)
    whole = tally.whole(form, contest)
    options, _rest = answer_shares(votes, rest, whole, tally.rule, most=contest.max)
    return [format(one, "f") for one in options]


def _weighted_percents(tally: TallyFile, form: TallyForm, contest: TallyContest) -> list[str]:
    return [format(one, "f") for one in weighted_shares(tally, form, contest)]


def _contest(
    contest: TallyContest,
    shares_of: Sequence[str] | None,
    weighted: Sequence[str] | None = None,
) -> dict[str, Any]:
    options: list[Mapping[str, Any]] = [
        {"id": option.id, "label": option.label, "votes": option.votes}
        for option in contest.options
    ]
    if shares_of is not None:
        options = [
            {**option, "percent": share} for option, share in zip(options, shares_of, strict=True)
        ]
    if weighted is not None:
        options = [
            {**option, "weighted_percent": share}
            for option, share in zip(options, weighted, strict=True)
        ]
    return {
        "id": contest.id,
        "title": contest.title,
        "breakdown": contest.is_breakdown,
        "max": contest.max,
        "counted": contest.counted,
        "options": options,
        "blank": contest.blank,
        "overvote": contest.overvote,
        "undervotes": contest.undervotes,
        "in_doubt": contest.in_doubt,
    }


def _breakdown(tally: TallyFile, breakdown: TallyBreakdown) -> dict[str, Any]:
    return {
        "form": breakdown.form,
        "by": breakdown.by,
        "groups": [_group(group) for group in breakdown.groups],
    }


def _group(group: TallyGroup) -> dict[str, Any]:
    contests = group.contests
    return {
        "id": group.id,
        "label": group.label,
        "valid": group.valid,
        "contests": None if contests is None else [_contest(one, None) for one in contests],
    }
