"""A tally as NIST SP 1500-100, version 2, JSON: the figures, and no vote of a single sheet.

It is made of a tally alone, so that the sum of many units becomes a report as one count does.
"""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from scanner.counting.tally_file import TallyContest, TallyFile
from scanner.forms.workshop import open_whole
from scanner.publishing.references import ERR_REFERENCES, References

Data = dict[str, Any]

UNIT = "unit"


def write_err(tally: TallyFile, path: Path, at: datetime, language: str = "vi") -> None:
    """Write the report of results.

    Args:
        tally: The figures.
        path: The file to write; its folder is made.
        at: When, with a time zone.
        language: Of the forms' texts.

    Raises:
        StorageError: It cannot be written there.
        TallyMismatchError: An id is named that is not in the report.
    """
    data = build_err(tally, at, language)
    text = json.dumps(data, ensure_ascii=False, indent=1) + "\n"
    with open_whole(path) as file:
        file.write(text.encode())


def build_err(tally: TallyFile, at: datetime, language: str = "vi") -> Data:
    """The report of results as plain data.

    Args:
        tally: The figures.
        at: When, with a time zone.
        language: Of the forms' texts.

    Raises:
        TallyMismatchError: An id is named that is not in the report.
    """
    issuer = tally.unit.name or tally.unit.id if tally.unit is not None else tally.count
    data = {
        "@type": "ElectionResults.ElectionReport",
        "Format": "summary-contest",
        "GeneratedDate": at.isoformat(timespec="seconds"),
        "Issuer": issuer,
        "IssuerAbbreviation": tally.unit.id if tally.unit is not None else tally.count,
        "SequenceStart": 1,
        "SequenceEnd": 1,
        "Status": "unofficial-partial" if tally.sheets.in_review else "unofficial-complete",
        "VendorApplicationId": f"kiemphieu {tally.program}",
        "GpUnit": [
            {
                "@id": UNIT,
                "@type": "ElectionResults.ReportingUnit",
                "Type": "other",
                "OtherType": "count",
                "Name": _text(issuer, language),
            }
        ],
        "Election": [_election(tally, language)],
    }
    References(ERR_REFERENCES).check(data)
    return data


def _election(tally: TallyFile, language: str) -> Data:
    titles = [form.title or form.id for form in tally.forms]
    name = " · ".join([*titles, tally.period] if tally.period else titles)
    return {
        "@type": "ElectionResults.Election",
        "Name": _text(name or tally.count, language),
        "StartDate": tally.created_at.date().isoformat(),
        "EndDate": tally.generated_at.date().isoformat(),
        "Type": "other",
        "OtherType": "count",
        "ElectionScopeId": UNIT,
        "BallotCounts": [
            {
                "@type": "ElectionResults.BallotCounts",
                "GpUnitId": UNIT,
                "Type": "total",
                "BallotsCast": tally.sheets.paper,
                "BallotsOutstanding": tally.sheets.in_review,
                "BallotsRejected": tally.sheets.void,
            }
        ],
        "Contest": [
            _contest(contest, f"form-{number}-contest-{place}", language)
            for number, form in enumerate(tally.forms, start=1)
            for place, contest in enumerate(form.contests, start=1)
        ],
    }


def _contest(contest: TallyContest, name: str, language: str) -> Data:
    return {
        "@id": name,
        "@type": "ElectionResults.BallotMeasureContest",
        "Name": contest.title or contest.id,
        "ElectionDistrictId": UNIT,
        "VoteVariation": "plurality" if contest.max == 1 else "n-of-m",
        "ExternalIdentifier": [
            _identifier("contest", contest.id),
            _identifier("votes-allowed", str(contest.max)),
        ],
        "OtherCounts": [
            {
                "@type": "ElectionResults.OtherCounts",
                "GpUnitId": UNIT,
                # Votes lost, not sheets: with the votes they make up all that was allowed.
                "Overvotes": contest.overvote * contest.max,
                "Undervotes": contest.undervotes,
            }
        ],
        "ContestSelection": [
            {
                "@id": f"{name}-option-{place}",
                "@type": "ElectionResults.BallotMeasureSelection",
                "SequenceOrder": place,
                "Selection": _text(option.label or option.id, language),
                "ExternalIdentifier": [_identifier("option", option.id)],
                "VoteCounts": [
                    {
                        "@type": "ElectionResults.VoteCounts",
                        "GpUnitId": UNIT,
                        "Type": "total",
                        "Count": option.votes,
                    }
                ],
            }
            for place, option in enumerate(contest.options, start=1)
        ],
    }


def _identifier(kind: str, value: str) -> Data:
    """What the tally itself calls a part of the report."""
    return {
        "@type": "ElectionResults.ExternalIdentifier",
        "Type": "other",
        "OtherType": kind,
        "Value": value,
    }


def _text(content: str, language: str) -> Data:
    return {
        "@type": "ElectionResults.InternationalizedText",
        "Text": [
            {
                "@type": "ElectionResults.LanguageString",
                "Language": language,
                "Content": content,
            }
        ],
    }
