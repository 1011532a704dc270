"""Folders of real scanned ballots with true marks, as ``benchmarks/README.md`` describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

CASE_FILE = "case.json"


class CaseError(Exception):
    """A case cannot be used; the message says why."""


@dataclass(frozen=True, slots=True)
class Target:
    """One target of a template."""

    id: str
    page: int
    contest: str
    option: str
    center: tuple[float, float]
    """As shares of the width and the height of the blank."""
    reach: float
    """Half the diagonal of its box, as a share of the width of the blank."""


@dataclass(frozen=True, slots=True)
class Template:
    """One form of a case."""

    id: str
    pages: frozenset[int]
    targets: tuple[Target, ...]


@dataclass(frozen=True, slots=True)
class Ballot:
    """One sheet with what its voter marked."""

    id: str
    templates: tuple[str, ...]
    """The form that it is of, then others that fit as well."""
    pages: tuple[tuple[int, Path], ...]
    """Page numbers and images, in the order of the pages."""
    marks: frozenset[str]
    ambiguous: frozenset[str]
    """Targets on which two careful people could differ."""

    @property
    def page_numbers(self) -> tuple[int, ...]:
        """Which pages of its form were scanned."""
        return tuple(number for number, _image in self.pages)


@dataclass(frozen=True, slots=True)
class Case:
    """Forms, sheets of them, and pictures that are none of them."""

    name: str
    path: Path
    """The ``case.json``."""
    templates: Mapping[str, Template]
    ballots: tuple[Ballot, ...]
    negatives: tuple[tuple[Path, str], ...]
    """Images, and why they are no sheet of these forms."""
    faults: tuple[str, ...] = ()
    """What had to be left out of the case because it is not there."""

    def is_complete(self, ballot: Ballot) -> bool:
        """True if every page of the ballot's form was scanned."""
        return self.templates[ballot.templates[0]].pages <= set(ballot.page_numbers)


def find_case_files(folders: Iterable[Path]) -> list[Path]:
    """The ``case.json`` of each folder, or those of its sub-folders.

    Raises:
        CaseError: A folder holds none.
    """
    files: list[Path] = []
    for folder in folders:
        here = folder if folder.name == CASE_FILE else folder / CASE_FILE
        found = [here] if here.is_file() else sorted(folder.glob(f"*/{CASE_FILE}"))
        if not found:
            raise CaseError(f"{folder}: there is no {CASE_FILE}")
        files.extend(found)
    return files


def read_case(path: Path) -> Case:
    """Read one ``case.json``; what may be left out is taken as empty.

    Sheets and marks that name a form, an image or a target that is not there are left out and
    noted as faults.

    Raises:
        CaseError: It is broken.
    """
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
        templates = {str(item["id"]): _read_template(item) for item in data["templates"]}
        ballots = tuple(_read_ballot(item, path.parent) for item in data["ballots"])
        negatives = tuple(
            (path.parent / str(item["image"]), str(item.get("why", "")))
            for item in data.get("negatives") or ()
        )
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CaseError(f"{path}: {type(error).__name__}: {error}") from error
    faults = [fault for ballot in ballots for fault in _faults_of(ballot, templates)]
    faults += [
        f"negative {image.name} is missing" for image, _why in negatives if not image.is_file()
    ]
    return Case(
        name=str(data.get("name") or path.parent.name),
        path=path,
        templates=templates,
        ballots=tuple(ballot for ballot in ballots if _can_be_scanned(ballot, templates)),
        negatives=tuple(negative for negative in negatives if negative[0].is_file()),
        faults=tuple(faults),
    )


def _read_template(item: Mapping[str, Any]) -> Template:
    targets = []
    for page in item["pages"]:
        number, width, height = int(page["page"]), float(page["width"]), float(page["height"])
        for target in page.get("targets") or ():
            x, y, w, h = (float(target[side]) for side in ("x", "y", "w", "h"))
            contest, option = str(target["contest"]), str(target["option"])
            target_id = str(target.get("id", f"{contest}/{option}"))
            center = (x + w / 2) / width, (y + h / 2) / height
            reach = (w**2 + h**2) ** 0.5 / 2 / width
            targets.append(Target(target_id, number, contest, option, center, reach))
    pages = frozenset(int(page["page"]) for page in item["pages"])
    return Template(str(item["id"]), pages, tuple(targets))


def _read_ballot(item: Mapping[str, Any], folder: Path) -> Ballot:
    pages = sorted((int(page["page"]), folder / str(page["image"])) for page in item["pages"])
    return Ballot(
        id=str(item["id"]),
        templates=(str(item["template"]), *_texts(item.get("also_fits"))),
        pages=tuple(pages),
        marks=frozenset(_texts(item.get("marks"))),
        ambiguous=frozenset(_texts(item.get("ambiguous"))),
    )


def _texts(value: object) -> Sequence[str]:
    """A list of texts, one text, or nothing at all, as a list."""
    if value is None:
        return ()
    if isinstance(value, list):
        return tuple(map(str, value))
    return (str(value),)


def _can_be_scanned(ballot: Ballot, templates: Mapping[str, Template]) -> bool:
    return ballot.templates[0] in templates and all(
        image.is_file() for _page, image in ballot.pages
    )


def _faults_of(ballot: Ballot, templates: Mapping[str, Template]) -> Iterator[str]:
    template = templates.get(ballot.templates[0])
    if template is None:
        yield f"ballot {ballot.id}: there is no template {ballot.templates[0]}"
        return
    for target in sorted((ballot.marks | ballot.ambiguous) - {t.id for t in template.targets}):
        yield f"ballot {ballot.id}: there is no target {target}"
    for _page, image in ballot.pages:
        if not image.is_file():
            yield f"ballot {ballot.id}: {image.name} is missing"
