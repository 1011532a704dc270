"""Folders of real scanned ballots with true marks, as ``benchmarks/README.md`` describes them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
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

    def is_complete(self, ballot: Ballot) -> bool:
        """True if every page of the ballot's form was scanned."""
        return self.templates[ballot.templates[0]].pages <= set(ballot.page_numbers)


def find_cases(folders: Iterable[Path]) -> list[Case]:
    """Read the case in each folder, or those in its sub-folders.

    Raises:
        CaseError: A folder holds none, or one that cannot be understood.
    """
    files: list[Path] = []
    for folder in folders:
        here = folder if folder.name == CASE_FILE else folder / CASE_FILE
        found = [here] if here.is_file() else sorted(folder.glob(f"*/{CASE_FILE}"))
        if not found:
            raise CaseError(f"{folder}: there is no {CASE_FILE}")
        files.extend(found)
    return [read_case(path) for path in files]


def read_case(path: Path) -> Case:
    """Read one ``case.json``; what may be left out is taken as empty.

    Raises:
        CaseError: It is broken, or names a form, target or image that is not there.
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
    name = str(data.get("name") or path.parent.name)
    case = Case(name, path, templates, ballots, negatives)
    _check(case)
    return case


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


def _check(case: Case) -> None:
    faults = []
    for ballot in case.ballots:
        known = case.templates.get(ballot.templates[0])
        if known is None:
            faults.append(f"ballot {ballot.id}: there is no template {ballot.templates[0]}")
            continue
        strange = (ballot.marks | ballot.ambiguous) - {target.id for target in known.targets}
        faults += [f"ballot {ballot.id}: there is no target {name}" for name in sorted(strange)]
    images = [image for ballot in case.ballots for _page, image in ballot.pages]
    images += [image for image, _why in case.negatives]
    faults += [f"{image} is missing" for image in images if not image.is_file()]
    if faults:
        raise CaseError(f"{case.path}: {'; '.join(faults)}")
