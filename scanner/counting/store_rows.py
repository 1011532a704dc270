"""Rows of the count's database become frozen types, and the other way round."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from scanner.ballot import (
    ContestReading,
    ContestState,
    MarkState,
    PageReading,
    Reason,
    TargetMeasures,
    TargetReading,
    UnreadablePage,
)
from scanner.counting.adjudication import Decision, SheetRecord, Stage, Verdict
from scanner.counting.paper import PageSlot
from scanner.counting.records import Batch, BatchRequest, BatchState, PlannedPage, ScannedFile
from scanner.counting.skew import skew_degrees

MEASURES = tuple(field.name for field in fields(TargetMeasures))
"""The columns of a mark that hold a measure."""

Row = Mapping[str, Any]


def pack(value: object) -> str:
    """Anything of plain types as JSON."""
    return json.dumps(value, ensure_ascii=False)


def join(reasons: Iterable[Reason]) -> str:
    """Reasons in one text; :func:`split` gives them back."""
    return ",".join(reasons)


def split(text: str) -> tuple[Reason, ...]:
    """The reasons that :func:`join` wrote."""
    return tuple(Reason(name) for name in text.split(",") if name)


def batch_of(row: Row) -> Batch:
    """A batch from its row."""
    request = BatchRequest.from_json(row["request"])
    return Batch(row["id"], request, row["settings"], BatchState(row["state"]))


def file_values(file: ScannedFile) -> dict[str, Any]:
    """A file as columns; the database gives it its id."""
    names = ("batch", "place", "hash", "name", "stored", "pages", "known_as", "refusal")
    return {name: getattr(file, name) for name in names} | {"evidence": pack(file.evidence)}


def file_of(row: Row) -> ScannedFile:
    """A file from its row."""
    values = dict(row)
    values["refusal"] = Reason(values["refusal"]) if values["refusal"] else None
    values["evidence"] = json.loads(values["evidence"])
    return ScannedFile(**values)


def planned_values(batch: int, page: PlannedPage) -> dict[str, Any]:
    """A page that waits to be read, or is refused beforehand, as columns."""
    return {
        "batch": batch,
        "position": page.position,
        "file": page.file,
        "number": page.number,
        "pile": page.pile,
        "flags": join(page.flags),
        "is_read": int(page.refusal is not None),
        "image_hash": "",
        "refusal": page.refusal.reason if page.refusal else None,
        "reasons": "",
        "alternatives": "[]",
        "evidence": pack(page.refusal.evidence if page.refusal else {}),
    }


def result_values(image_hash: str, result: PageReading | UnreadablePage) -> dict[str, Any]:
    """What was read on a page as columns, without its targets."""
    values: dict[str, Any] = {
        "is_read": 1,
        "image_hash": image_hash,
        "evidence": pack(result.evidence),
    }
    if isinstance(result, UnreadablePage):
        return values | {"refusal": result.reason}
    return values | {
        "form": result.form,
        "form_hash": result.form_hash,
        "page": result.page,
        "rotation": result.rotation,
        "homography": pack(result.homography),
        "reasons": join(result.reasons),
        "serial": result.serial,
        "alternatives": pack(result.alternatives),
    }


def mark_values(page: int, result: PageReading | UnreadablePage) -> Iterator[dict[str, Any]]:
    """The targets of a page as columns; none for a page that is refused."""
    targets = result.targets if isinstance(result, PageReading) else ()
    for place, target in enumerate(targets):
        measures = {name: getattr(target.measures, name) for name in MEASURES}
        yield measures | {
            "page": page,
            "place": place,
            "contest": target.contest,
            "option": target.option,
            "state": target.state,
            "probability": target.probability,
            "reasons": join(target.reasons),
        }


def target_of(row: Row) -> TargetReading:
    """A target from its row."""
    return TargetReading(
        row["contest"],
        row["option"],
        MarkState(row["state"]),
        row["probability"],
        TargetMeasures(**{name: row[name] for name in MEASURES}),
        split(row["reasons"]),
    )


def reading_of(row: Row, targets: Iterable[TargetReading]) -> PageReading | UnreadablePage:
    """What was read on a page, from its row and its targets."""
    if row["refusal"]:
        return refusal_of(row)
    return PageReading(
        form=row["form"],
        form_hash=row["form_hash"],
        page=row["page"],
        rotation=row["rotation"],
        homography=tuple(json.loads(row["homography"])),
        targets=tuple(targets),
        reasons=split(row["reasons"]),
        serial=row["serial"],
        alternatives=tuple(json.loads(row["alternatives"])),
        evidence=json.loads(row["evidence"]),
    )


def refusal_of(row: Row) -> UnreadablePage:
    """Why a page is refused, from its row."""
    return UnreadablePage(Reason(row["refusal"]), json.loads(row["evidence"]))


def slot_of(row: Row) -> PageSlot:
    """A page at its place in the scan, from its row."""
    return PageSlot(
        position=row["position"],
        pile=row["pile"],
        form=row["form"],
        page=row["page"] or 0,
        serial=row["serial"],
        alternatives=tuple(json.loads(row["alternatives"])),
        refusal=Reason(row["refusal"]) if row["refusal"] else None,
        reasons=split(row["flags"]),
        skew_deg=skew_degrees(json.loads(row["homography"])) if row["homography"] else None,
    )


def contest_values(sheet: int, place: int, reading: ContestReading) -> dict[str, Any]:
    """One contest of a sheet as columns."""
    return {
        "sheet": sheet,
        "place": place,
        "contest": reading.contest,
        "state": reading.state,
        "marked": pack(reading.marked),
        "reasons": join(reading.reasons),
    }


def sheet_of(rows: list[Row]) -> SheetRecord:
    """A sheet from its row joined with each of its contests."""
    contests = tuple(
        ContestReading(
            row["contest"],
            ContestState(row["state"]),
            tuple(json.loads(row["marked"])),
            split(row["doubts"]),
        )
        for row in rows
        if row["contest"] is not None
    )
    first = rows[0]
    return SheetRecord(
        sheet=first["id"],
        batch=first["batch"],
        form=first["form"],
        reasons=split(first["reasons"]),
        contests=contests,
        serial=first["serial"],
    )


def decision_values(made: Decision) -> dict[str, Any]:
    """A decision as columns."""
    return {
        "sheet": made.sheet,
        "contest": made.contest,
        "verdict": made.verdict,
        "options": pack(made.options),
        "who": made.by,
        "why": made.why,
        "at": made.at.isoformat(),
        "stage": made.stage,
        "note": made.note,
        "crop": made.crop,
        "undoes": made.undoes,
    }


def decision_of(row: Row) -> Decision:
    """A decision from its row."""
    return Decision(
        sheet=row["sheet"],
        verdict=Verdict(row["verdict"]),
        by=row["who"],
        why=row["why"],
        at=datetime.fromisoformat(row["at"]),
        contest=row["contest"],
        options=tuple(json.loads(row["options"])),
        stage=Stage(row["stage"]),
        note=row["note"],
        crop=row["crop"],
        undoes=row["undoes"],
        id=row["id"],
    )
