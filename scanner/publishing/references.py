"""Are all ids that a report names in it? A check beside the official schemas.

The schemas of NIST SP 1500-100 and 1500-103 say with a keyword of their own, ``refTypes``, what an
id must belong to. No validator knows that keyword: a report whose current snapshot is none of its
snapshots passes all of them. What is listed here is taken from those keywords.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from scanner.errors import TallyMismatchError
from scanner.messages import gettext as _

Table = Mapping[str, frozenset[str]]
"""The classes, without their prefix, that an id under a property may belong to."""

_CONTESTS = frozenset({"BallotMeasureContest", "CandidateContest"})
_SELECTIONS = frozenset({"BallotMeasureSelection", "CandidateSelection"})

CVR_REFERENCES: Table = {
    "BallotStyleUnitId": frozenset({"GpUnit"}),
    "CandidateIds": frozenset({"Candidate"}),
    "ContestId": _CONTESTS,
    "ContestSelectionId": _SELECTIONS,
    "CreatingDeviceId": frozenset({"ReportingDevice"}),
    "CurrentSnapshotId": frozenset({"CVRSnapshot"}),
    "ElectionId": frozenset({"Election"}),
    "ElectionScopeId": frozenset({"GpUnit"}),
    "ReportGeneratingDeviceIds": frozenset({"ReportingDevice"}),
    "ReportingDeviceIds": frozenset({"ReportingDevice"}),
}
"""Of a report of cast vote records, as far as this program writes it."""

ERR_REFERENCES: Table = {
    "CandidateIds": frozenset({"Candidate"}),
    "ElectionDistrictId": frozenset({"ReportingUnit"}),
    "ElectionScopeId": frozenset({"ReportingUnit"}),
    "GpUnitId": frozenset({"ReportingUnit"}),
}
"""Of a report of results, as far as this program writes it."""


_WITHOUT_IDS = frozenset({"Annotation", "BallotImage", "Code", "SelectionPosition"})
"""Properties under which there is no id; most of a report of cast vote records lies there."""


class References:
    """The ids of one report, told part by part, so that it need not be in memory as a whole.

    Args:
        table: What ids its properties may name.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._classes: dict[str, str] = {}

    def check(self, part: Any) -> None:
        """See that a part of the report names only what it, or a part before it, gives an id to.

        Raises:
            TallyMismatchError: It names something else, or something of another class than the
                property is for, or it gives an id that is given already.
        """
        named = []
        for key, value, owner in _properties(part):
            if key == "@id":
                self._declare(value, owner["@type"].rpartition(".")[2])
            elif key in self._table:
                named += [(key, name) for name in (value if isinstance(value, list) else [value])]
        for key, name in named:
            if self._classes.get(name) not in self._table[key]:
                raise TallyMismatchError(
                    _("{property} names {id}, which is not in the report.").format(
                        property=key, id=name
                    )
                )

    def _declare(self, name: str, kind: str) -> None:
        if name in self._classes:
            raise TallyMismatchError(_("The id {id} is given twice.").format(id=name))
        self._classes[name] = kind


def _properties(part: Any) -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Every property of a part at any depth: its name, its value, and whose it is."""
    waiting = [part]
    while waiting:
        one = waiting.pop()
        if isinstance(one, list):
            waiting += one
        elif isinstance(one, dict):
            for key, value in one.items():
                if value.__class__ in {dict, list} and key not in _WITHOUT_IDS:
                    waiting.append(value)
                yield key, value, one
