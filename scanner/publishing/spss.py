"""votes.sav: the valid sheets for SPSS, PSPP, R and what else reads that format.

One row a valid sheet, so that the frequencies that such a program finds are those of the tally. A
question with one answer is one variable with the printed words as labels of its values; one with
several is a variable of 0 and 1 for each option. No answer and too many are missing values that
have names of their own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

from scanner.ballot import ContestState
from scanner.counting.account import Books
from scanner.counting.secrecy import ListedSheet
from scanner.counting.tally import CastVote
from scanner.counting.tally_file import TallyFile
from scanner.forms.template import Contest, Form
from scanner.messages import describe
from scanner.messages import gettext as _

BLANK = 98
OVERVOTE = 99
LONGEST_NAME = 64
"""Bytes that the format allows a name; so many it allows the label of the file, too."""
LONGEST_LABEL = 255
LONGEST_VALUE_LABEL = 120
_RESERVED = frozenset(
    ["all", "and", "by", "eq", "ge", "gt", "le", "lt", "ne", "not", "or", "to", "with"]
)


@dataclass(frozen=True, slots=True)
class Variable:
    """One column."""

    name: str
    label: str
    form: str = ""
    contest: str = ""
    option: str = ""
    """Of a question with several answers."""
    values: Mapping[int, str] = field(default_factory=dict)
    codes: Mapping[str, int] = field(default_factory=dict)
    """The value of each option of a question with one answer."""


def write_spss(
    stream: IO[bytes], books: Books, sheets: Sequence[ListedSheet], tally: TallyFile
) -> None:
    """Write votes.sav.

    Args:
        stream: Where it goes.
        books: The count's.
        sheets: Its valid sheets as they may leave the house.
        tally: Says whose figures they are.
    """
    # Takes a second to load, and only this needs it.
    import pandas
    import pyreadstat

    variables = variables_of(books.forms)
    keys = _keys(books, sheets)
    rows = [_row(one, keys, variables) for one in sheets]
    names = [key.name for key in keys] + [one.name for one in variables]
    frame = pandas.DataFrame(rows, columns=names, dtype="float64")
    columns = [*keys, *variables]
    unit = tally.unit.name or tally.unit.id if tally.unit is not None else tally.count
    with TemporaryDirectory() as folder:
        # The library wants a path of its own.
        path = Path(folder) / "votes.sav"
        pyreadstat.write_sav(
            frame,
            path,
            file_label=_shorten(" ".join(filter(None, (unit, tally.period))), LONGEST_NAME),
            column_labels=[_shorten(one.label, LONGEST_LABEL) for one in columns],
            variable_value_labels={one.name: _value_labels(one) for one in columns if one.values},
            missing_ranges={one.name: [BLANK, OVERVOTE] for one in variables},
            variable_format=dict.fromkeys(names, "F8.0"),
            variable_measure=dict.fromkeys(names, "nominal"),
        )
        stream.write(path.read_bytes())


def variables_of(forms: Sequence[Form]) -> list[Variable]:
    """A variable for each question, or for each option where several may be chosen.

    Args:
        forms: The forms of the count; of several, names begin with that of the form.
    """
    made: list[Variable] = []
    taken: set[str] = set()
    for form in forms:
        for contest in form.contests:
            name = f"{form.id}_{contest.id}" if len(forms) > 1 else contest.id
            title = contest.title or contest.id
            if contest.max == 1:
                made.append(_single(form, contest, make_name(name, taken), title))
                continue
            for option in contest.options:
                label = f"{title}: {option.label or option.id}"
                values = {0: _("not chosen"), 1: _("chosen"), **_missing()}
                own = make_name(f"{name}_{option.id}", taken)
                made.append(Variable(own, label, form.id, contest.id, option.id, values))
    return made


def make_name(text: str, taken: set[str]) -> str:
    """A name that the format allows, and that no other variable has; it is added to those.

    Letters of ASCII, digits and underscores, a letter first; Vietnamese letters lose their marks.

    Args:
        text: What it is to be called.
        taken: Names in use, in small letters.
    """
    bare = unicodedata.normalize("NFKD", text.replace("đ", "d").replace("Đ", "D"))
    name = re.sub(r"[^A-Za-z0-9]+", "_", bare.encode("ascii", "ignore").decode()).strip("_")
    if not name or not name[0].isalpha() or name.lower() in _RESERVED or name.startswith("kp_"):
        name = f"q_{name}"
    name = name[: LONGEST_NAME - 4]
    made, number = name, 1
    while made.lower() in taken:
        number += 1
        made = f"{name}_{number}"
    taken.add(made.lower())
    return made


def _single(form: Form, contest: Contest, name: str, title: str) -> Variable:
    # Codes of options never meet those of missing values.
    numbers = [n for n in range(1, len(contest.options) + 3) if n not in {BLANK, OVERVOTE}]
    codes = dict(zip((option.id for option in contest.options), numbers, strict=False))
    values = {codes[option.id]: option.label or option.id for option in contest.options}
    return Variable(name, title, form.id, contest.id, "", {**values, **_missing()}, codes)


def _missing() -> dict[int, str]:
    return {BLANK: describe(ContestState.BLANK), OVERVOTE: describe(ContestState.OVERVOTE)}


def _keys(books: Books, sheets: Sequence[ListedSheet]) -> list[Variable]:
    """Columns that say which sheet it is; no question is called like one, for ``kp_`` is theirs."""
    keys = [Variable("kp_sheet", _("Sheet"))]
    if all(one.batch is not None for one in sheets):
        keys.append(Variable("kp_batch", _("Batch")))
    if len(books.forms) > 1:
        titles = {number: form.title or form.id for number, form in enumerate(books.forms, 1)}
        keys.append(Variable("kp_form", _("Form"), values=titles))
    return keys


def _row(
    sheet: ListedSheet, keys: Sequence[Variable], variables: Sequence[Variable]
) -> list[int | None]:
    votes = {vote.contest: vote for vote in sheet.record.votes}
    ids = list(dict.fromkeys(one.form for one in variables))
    known = {
        "kp_sheet": sheet.number,
        "kp_batch": sheet.batch,
        "kp_form": ids.index(sheet.record.form) + 1 if sheet.record.form in ids else None,
    }
    return [known[key.name] for key in keys] + [
        _value(votes.get(one.contest) if one.form == sheet.record.form else None, one)
        for one in variables
    ]


def _value(vote: CastVote | None, variable: Variable) -> int | None:
    """The code of an answer; None, which is the format's own missing, where it is not there."""
    if vote is None:
        return None
    if vote.state is ContestState.BLANK:
        return BLANK
    if vote.state is ContestState.OVERVOTE:
        return OVERVOTE
    if variable.option:
        return int(variable.option in vote.options)
    return variable.codes[vote.options[0]]


def _value_labels(variable: Variable) -> dict[int | float, str]:
    return {
        number: _shorten(label, LONGEST_VALUE_LABEL) for number, label in variable.values.items()
    }


def _shorten(text: str, most: int) -> str:
    """Text of at most so many bytes, cut between letters."""
    return text.encode("utf-8")[:most].decode("utf-8", "ignore")
