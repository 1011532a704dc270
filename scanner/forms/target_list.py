"""Lists of targets as people and programs write them, brought to one shape.

Four kinds are read: JSON and CSV lists of our own, the ``templates`` of a test case
(``case.json``), and OMRChecker's ``template.json``. All are described in
``docs/forms.md``. Nothing here touches an image.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from scanner.errors import FormError
from scanner.forms.omrchecker import OmrTemplate, is_omr_template, read_omr_template
from scanner.geometry import Box
from scanner.messages import gettext as _

SHAPES = ("box", "oval", "circle", "arrow", "cell", "label", "strike")
REQUIRED_COLUMNS = ("contest", "option", "x", "y", "w", "h")
COLUMNS = (
    *("contest", "contest_title", "max", "option", "label", "page", "shape"),
    *("x", "y", "w", "h"),
)


@dataclass(frozen=True, slots=True)
class TargetRow:
    """One target of a list, in the unit of its list."""

    where: str
    """The place in the file, for messages: ``line 7`` or ``contest c1, option 3``."""
    option: str
    label: str
    page: int
    shape: str
    box: Box


@dataclass(frozen=True, slots=True)
class ContestRows:
    """One contest of a list, with its targets in printed order."""

    id: str
    title: str
    max: int
    targets: tuple[TargetRow, ...]


@dataclass(frozen=True, slots=True)
class NamedBlank:
    """A page that a list itself names."""

    number: int
    path: Path
    size_px: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class TargetList:
    """The targets of one form."""

    path: Path
    id: str | None
    title: str
    unit: str
    """``px`` of the blank or ``mm``."""
    contests: tuple[ContestRows, ...]
    blank_dpi: float | None = None
    """The resolution of the blank, as the list says for certain."""
    likely_dpi: float | None = None
    """A resolution to take where neither the list nor the blank states one."""
    blanks: tuple[NamedBlank, ...] = ()
    page_px: tuple[float, float] | None = None
    """The page on which the pixels are counted, if it may be larger or smaller than the blank."""
    notes: tuple[str, ...] = ()
    """What of the list was left out, in plain words."""


@dataclass(frozen=True, slots=True)
class _Record:
    """A mapping of fields, with its place in a file for messages."""

    fields: Mapping[str, Any]
    path: Path
    where: str

    def text(self, name: str, default: str | None = None) -> str:
        value = self.fields.get(name)
        if value is None or str(value).strip() == "":
            if default is None:
                raise self.fault(name, _("is missing"))
            return default
        if isinstance(value, Mapping | list):
            raise self.fault(name, _("is not a text"))
        return str(value).strip()

    def number(self, name: str, default: float | None = None) -> float:
        text = self.text(name, None if default is None else str(default))
        try:
            value = float(text)
        except ValueError as error:
            raise self.fault(name, _("{text!r} is not a number").format(text=text)) from error
        if not 0 <= value < 1e6:
            raise self.fault(name, _("{text} is not in 0 … 1000000").format(text=text))
        return value

    def whole(self, name: str, default: int) -> int:
        value = self.number(name, default)
        if value != int(value) or value < 1:
            raise self.fault(name, _("{value} is not a whole number from 1").format(value=value))
        return int(value)

    def length(self, name: str) -> float:
        value = self.number(name)
        if value <= 0:
            raise self.fault(name, _("must be more than 0"))
        return value

    def shape(self) -> str:
        shape = self.text("shape", "box").casefold()
        if shape not in SHAPES:
            known = ", ".join(SHAPES)
            raise self.fault(
                "shape", _("{shape!r} is none of {known}").format(shape=shape, known=known)
            )
        return shape

    def items(self, name: str) -> list[Mapping[str, Any]]:
        value = self.fields.get(name)
        if not isinstance(value, list) or not all(isinstance(item, Mapping) for item in value):
            raise self.fault(name, _("must be a list of objects"))
        return value

    def fault(self, name: str, message: str) -> FormError:
        return FormError(
            _("{where}, field {field!r}: {message}.").format(
                where=self.where, field=name, message=message
            ),
            remedy=_("Correct it there; docs/forms.md describes the list."),
            path=self.path,
        )


def read_target_lists(path: Path) -> list[TargetList]:
    """Read a JSON or CSV list; a test case may hold several forms, the others hold one.

    Raises:
        FormError: Names the file, the row and the field, and says what to do.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise FormError(
            _("This list of targets cannot be read ({reason}).").format(reason=error),
            remedy=_("Save it as UTF-8 text: JSON, or CSV with a header."),
            path=path,
        ) from error
    if text.lstrip()[:1] in {"{", "["}:
        return _read_json(path, text)
    return [_read_csv(path, text)]


def _read_json(path: Path, text: str) -> list[TargetList]:
    try:
        data = json.loads(text)
    except json.JSONDecodeError as error:
        raise FormError(
            _("Line {line}, column {column}: this is not JSON ({reason}).").format(
                line=error.lineno, column=error.colno, reason=error.msg
            ),
            remedy=_("Correct it there; docs/forms.md describes the list."),
            path=path,
        ) from error
    if not isinstance(data, dict):
        raise FormError(
            _("A list of targets in JSON is an object with 'contests'."),
            remedy=_("docs/forms.md describes the list."),
            path=path,
        )
    if is_omr_template(data):
        return [_from_omr_template(path, read_omr_template(data, path))]
    root = _Record(data, path, _("the list"))
    if "templates" in data:
        return [_read_template(root, item) for item in root.items("templates")]
    unit = root.text("unit", "px")
    if unit not in {"px", "mm"}:
        raise root.fault("unit", _("{unit!r} is neither px nor mm").format(unit=unit))
    return [
        TargetList(
            path=path,
            id=None,
            title=root.text("title", ""),
            unit=unit,
            contests=tuple(_read_contest(path, item) for item in root.items("contests")),
            blank_dpi=_dpi(root, "dpi"),
        )
    ]


def _from_omr_template(path: Path, template: OmrTemplate) -> TargetList:
    contests = []
    for field in template.fields:
        rows = [
            TargetRow(bubble.where, bubble.value, bubble.value, 1, bubble.shape, bubble.box)
            for bubble in field.bubbles
        ]
        contests.append(ContestRows(field.name, field.title, 1, tuple(rows)))
    return TargetList(
        path=path,
        id=None,
        title="",
        unit="px",
        contests=tuple(contests),
        page_px=template.size_px,
        notes=template.notes,
    )


def _read_contest(path: Path, fields: Mapping[str, Any]) -> ContestRows:
    contest_id = _Record(fields, path, _("a contest")).text("id")
    contest = _Record(fields, path, _("contest {id}").format(id=contest_id))
    rows = []
    for index, item in enumerate(contest.items("options"), start=1):
        where = _("contest {id}, option {index}").format(id=contest_id, index=index)
        record = _Record(item, path, where)
        rows.append(_target(record, record.text("id")))
    return ContestRows(contest_id, contest.text("title", ""), contest.whole("max", 1), tuple(rows))


def _target(record: _Record, option: str, page: int | None = None) -> TargetRow:
    return TargetRow(
        where=record.where,
        option=option,
        label=record.text("label", ""),
        page=record.whole("page", 1) if page is None else page,
        shape=record.shape(),
        box=Box(record.number("x"), record.number("y"), record.length("w"), record.length("h")),
    )


def _read_template(root: _Record, fields: Mapping[str, Any]) -> TargetList:
    template_id = _Record(fields, root.path, _("a template")).text("id")
    template = _Record(fields, root.path, _("template {id}").format(id=template_id))
    found: dict[str, list[TargetRow]] = {}
    blanks = []
    for item in template.items("pages"):
        page = _Record(item, root.path, template.where)
        number = page.whole("page", 1)
        size = round(page.length("width")), round(page.length("height"))
        blanks.append(NamedBlank(number, root.path.parent / page.text("blank"), size))
        for index, target in enumerate(page.items("targets"), start=1):
            where = _("template {id}, page {page}, target {index}").format(
                id=template_id, page=number, index=index
            )
            record = _Record(target, root.path, where)
            rows = found.setdefault(record.text("contest"), [])
            rows.append(_target(record, record.text("option"), number))
    contests = []
    for item in template.items("contests"):
        contest = _Record(item, root.path, template.where)
        contest_id = contest.text("id")
        rows = found.pop(contest_id, [])
        if rows:
            title, most = contest.text("title", ""), contest.whole("max", 1)
            contests.append(ContestRows(contest_id, title, most, tuple(rows)))
    if found:
        stray = next(iter(found))
        raise template.fault("contests", _("contest {id!r} is missing").format(id=stray))
    return TargetList(
        path=root.path,
        id=template_id,
        title=template.text("title", ""),
        unit="px",
        contests=tuple(contests),
        blank_dpi=_dpi(template, "blank_dpi"),
        likely_dpi=_dpi(root, "dpi"),
        blanks=tuple(blanks),
    )


def _dpi(record: _Record, name: str) -> float | None:
    return record.length(name) if name in record.fields else None


def _read_csv(path: Path, text: str) -> TargetList:
    lines = text.splitlines()
    delimiter = max(",;\t", key=(lines[0] if lines else "").count)
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    groups: dict[str, list[tuple[_Record, TargetRow]]] = {}
    try:
        names = [name.strip().casefold() for name in next(reader, [])]
        unit = "mm" if "x_mm" in names else "px"
        names = [name.removesuffix("_mm").removesuffix("_px") for name in names]
        _check_columns(path, names)
        for cells in reader:
            if any(cell.strip() for cell in cells):
                record = _csv_record(path, names, cells, (reader.line_num, delimiter))
                row = _target(record, record.text("option"))
                groups.setdefault(record.text("contest"), []).append((record, row))
    except csv.Error as error:
        raise FormError(
            _("Line {line}: this is not CSV ({reason}).").format(
                line=reader.line_num, reason=error
            ),
            remedy=_("Correct it there; docs/forms.md describes the list."),
            path=path,
        ) from error
    contests = tuple(_csv_contest(name, rows) for name, rows in groups.items())
    return TargetList(path=path, id=None, title="", unit=unit, contests=contests)


def _check_columns(path: Path, names: Sequence[str]) -> None:
    missing = [name for name in REQUIRED_COLUMNS if name not in names]
    unknown = [name for name in names if name not in COLUMNS]
    if not missing and not unknown:
        return
    faults = [_("column {name!r} is missing").format(name=name) for name in missing]
    faults += [_("column {name!r} is not known").format(name=name) for name in unknown]
    raise FormError(
        _("Line 1: {faults}.").format(faults=", ".join(faults)),
        remedy=_("The columns are: {columns}.").format(columns=", ".join(COLUMNS)),
        path=path,
    )


def _csv_record(
    path: Path, names: Sequence[str], cells: list[str], place: tuple[int, str]
) -> _Record:
    line, delimiter = place
    where = _("line {line}").format(line=line)
    if len(cells) != len(names):
        raise FormError(
            _("Line {line} has {cells} cells, the header has {columns}.").format(
                line=line, cells=len(cells), columns=len(names)
            ),
            remedy=_("Put a text that holds the separator in double quotes."),
            path=path,
        )
    fields = dict(zip(names, cells, strict=True))
    if delimiter != ",":
        for name in ("x", "y", "w", "h"):
            fields[name] = fields[name].replace(",", ".")
    return _Record(fields, path, where)


def _csv_contest(name: str, rows: Sequence[tuple[_Record, TargetRow]]) -> ContestRows:
    """Title and max stand on any row of a contest; rows that differ are a fault."""
    title, most = "", 0
    for record, _row in rows:
        row_title = record.text("contest_title", "")
        if title and row_title and row_title != title:
            raise record.fault("contest_title", _("differs from {title!r}").format(title=title))
        title = title or row_title
        if record.text("max", ""):
            row_max = record.whole("max", 1)
            if most and row_max != most:
                raise record.fault("max", _("differs from {most}").format(most=most))
            most = row_max
    return ContestRows(name, title, most or 1, tuple(row for _record, row in rows))
