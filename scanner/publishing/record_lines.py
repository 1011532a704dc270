"""The entries of the record in words, for the screen of a command and for the page."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from scanner.ballot import ContestState, SheetStatus
from scanner.counting.adjudication import Stage, Verdict, sheet_label
from scanner.counting.journal import Action, Entry
from scanner.counting.people import Person, Role
from scanner.counting.reworked import ReworkKind
from scanner.counting.second_reader import SecondReader
from scanner.forms.template import Contest, Form
from scanner.messages import describe
from scanner.messages import gettext as _


@dataclass(frozen=True, slots=True)
class EntryLine:
    """One entry as people read it."""

    number: int
    at: datetime
    """In the time of this machine."""
    who: str
    """Empty for the program."""
    sheet: int | None
    contest: str
    """The contest by its title; empty where it is about none."""
    what: str
    """What was done, in a few words."""
    facts: tuple[tuple[str, str], ...]
    """What there is to know besides: name and value."""
    hash: str


def tell(entry: Entry, forms: Sequence[Form]) -> EntryLine:
    """An entry in words.

    Args:
        entry: The entry.
        forms: The count's forms.
    """
    contest = _find_contest(entry, forms)
    title = (contest.title or contest.id) if contest is not None else entry.contest or ""
    return EntryLine(
        number=entry.number,
        at=entry.moment.astimezone(),
        who=entry.who,
        sheet=entry.sheet,
        contest=title,
        what=_what(entry, contest),
        facts=tuple((name, value) for name, value in _facts(entry, contest) if value),
        hash=entry.hash,
    )


def show_log(lines: Sequence[EntryLine]) -> RenderableType:
    """The record as a table."""
    table = Table()
    for name in (_("No."), _("When"), _("Who"), _("Sheet"), _("What")):
        table.add_column(name, no_wrap=name != _("What"))
    for line in lines:
        what = Text(line.what if not line.contest else f"{line.contest}: {line.what}")
        for name, value in line.facts:
            what.append(f"\n{name}: {value}", style="dim")
        table.add_row(
            str(line.number),
            f"{line.at:%Y-%m-%d %H:%M:%S}",
            line.who or _("the program"),
            sheet_label(line.sheet) if line.sheet is not None else "",
            what,
        )
    return table


def show_people(people: Sequence[Person]) -> RenderableType:
    """Who takes part in a count."""
    if not people:
        return Text(_("Nobody takes part yet: 'kiemphieu people add COUNT NAME --role ROLE'."))
    table = Table()
    for name in (_("Name"), _("Role"), _("takes part")):
        table.add_column(name)
    for person in people:
        yes_or_no = _("yes") if person.is_active else _("no")
        table.add_row(Text(person.name), name_of_role(person.role), yes_or_no)
    return table


def name_of_role(role: Role) -> str:
    """What a person may do, in a word."""
    names = {
        Role.READER: _("reader"),
        Role.COMMITTEE: _("committee"),
        Role.OBSERVER: _("observer"),
    }
    return names[role]


def name_of_policy(policy: SecondReader) -> str:
    """Which answers a second person gives as well, in words."""
    names = {
        SecondReader.NONE: _("One person reads each answer."),
        SecondReader.DOUBTS: _("A second person reads whatever was in doubt."),
        SecondReader.ALL: _("A second person reads whatever a person decides."),
        SecondReader.CLOSE: _("A second person reads what could change who leads."),
    }
    return names[policy]


def rework_in_words(kind: ReworkKind, told: Mapping[str, Any]) -> str:
    """What a person did with a whole sheet.

    Args:
        kind: What was done.
        told: What else the person said of it.
    """
    words = {
        ReworkKind.READ_AGAIN: _("read again"),
        ReworkKind.PAIRED: _("made one sheet"),
        ReworkKind.TAKEN_APART: _("taken apart"),
        ReworkKind.TYPED: _("its answers are typed by hand"),
        ReworkKind.FOREIGN: _("set aside, no ballot of this count"),
        ReworkKind.COPY: _("set aside, a copy of another sheet"),
        ReworkKind.VOID: _("declared void"),
        ReworkKind.UNDONE: _("undone, counts no more"),
    }
    copy_of = told.get("copy_of")
    if isinstance(copy_of, int):
        return _("set aside, a copy of sheet {copy}").format(copy=sheet_label(copy_of))
    return words[kind]


def _what(entry: Entry, contest: Contest | None) -> str:
    if entry.action is Action.DECIDED:
        row = entry.detail["row"]
        return verdict_in_words(Verdict(row["verdict"]), json.loads(row["options"]), contest)
    if entry.action is Action.EVENT:
        row = entry.detail["row"]
        return _event(row["what"], json.loads(row["detail"]))
    if entry.action is Action.REWORKED:
        # Not which sheet it copies: where the vote is secret that would say too much.
        return rework_in_words(ReworkKind(entry.detail["row"]["kind"]), {})
    if entry.action in {Action.PERSON_ADDED, Action.PERSON_CHANGED}:
        return f"{_names()[entry.action]}: {entry.detail['person']['name']}"
    return _names()[entry.action]


def _names() -> Mapping[Action, str]:
    return {
        Action.DECIDED: _("decided"),
        Action.WITHDRAWN: _("takes a decision back"),
        Action.ESCALATED: _("asks for the committee"),
        Action.NOTED: _("notes something"),
        Action.FLAGGED: _("wants to see this again"),
        Action.SCREEN_CHECKED: _("has looked through a screen of the wall"),
        Action.CHECK_DRAWN: _("draws a random check"),
        Action.CHECK_READ: _("reads a box of the random check"),
        Action.CHECK_ENDED: _("ends a random check"),
        Action.WORDS_TYPED: _("types written words"),
        Action.PERSON_ADDED: _("adds a person"),
        Action.PERSON_CHANGED: _("changes a person"),
        Action.POLICY: _("chooses who reads"),
        Action.SIGNED_IN: _("signs in"),
        Action.EVENT: _("event"),
    }


def verdict_in_words(verdict: Verdict, options: Sequence[str], contest: Contest | None) -> str:
    """What a person decided: the options chosen, or what was said instead.

    Args:
        verdict: What kind of a decision it is.
        options: The options chosen.
        contest: About what; None for the sheet as a whole.
    """
    names = {
        Verdict.BLANK: _("nothing chosen"),
        Verdict.OVERVOTE: _("too many chosen"),
        Verdict.ACCEPT: _("good as read"),
        Verdict.REFUSE: _("not to be counted"),
        Verdict.FLAG: _("wants to see this again"),
        Verdict.ESCALATE: _("asks for the committee"),
    }
    return names.get(verdict) or _labels(options, contest)


def _facts(entry: Entry, contest: Contest | None) -> Iterator[tuple[str, str]]:
    detail = entry.detail
    row = detail.get("row", {})
    if "before" in detail and "after" in detail and entry.action is not Action.REWORKED:
        yield _("before"), _counted(detail["before"], contest)
        yield _("after"), _counted(detail["after"], contest)
    stages = {Stage.SECOND: _("second reader"), Stage.COMMITTEE: _("committee")}
    if row.get("stage") in stages:
        yield _("as"), stages[Stage(row["stage"])]
    if entry.action is Action.FLAGGED:
        yield _("about"), _labels(json.loads(row["options"]), contest)
    yield _("reason"), str(row.get("why", ""))
    yield _("note"), str(row.get("note", ""))
    yield _("text"), str(detail.get("text", ""))
    yield _("picture shown"), str(row.get("crop", ""))[:12]
    if "person" in detail:
        yield from _facts_of_person(detail["person"], detail.get("former"))
    if entry.action is Action.POLICY and "second_reader" in detail:
        yield _("from now on"), name_of_policy(SecondReader(detail["second_reader"]))


def _facts_of_person(
    person: Mapping[str, Any], former: Mapping[str, Any] | None
) -> Iterator[tuple[str, str]]:
    if former is None or former["role"] != person["role"]:
        yield _("role"), name_of_role(Role(person["role"]))
    if former is not None and former["pin"] != person["pin"]:
        yield "PIN", _("a new one")
    if former is not None and former["is_active"] != person["is_active"]:
        yield _("takes part"), _("yes") if person["is_active"] else _("no")


def _counted(known: Mapping[str, Any], contest: Contest | None) -> str:
    """What a sheet or a contest counted as."""
    status = describe(SheetStatus(known["status"]))
    if "state" not in known:
        return status
    answer = _labels(known["options"], contest) or describe(ContestState(known["state"]))
    return f"{answer} ({status})"


def _labels(options: Sequence[str], contest: Contest | None) -> str:
    labels = {one.id: one.label for one in contest.options} if contest is not None else {}
    return ", ".join(labels.get(option) or option for option in options)


def _find_contest(entry: Entry, forms: Sequence[Form]) -> Contest | None:
    """The contest of an entry; of two forms with such a contest, the one with its options."""
    if entry.contest is None:
        return None
    found = [one for one in (form.contest(entry.contest) for form in forms) if one is not None]
    named = set(json.loads(entry.detail.get("row", {}).get("options", "[]")))
    fitting = (one for one in found if named <= {option.id for option in one.options})
    return next(fitting, None)


def _event(what: str, detail: Mapping[str, Any]) -> str:
    sentences = {
        "papers": _("figures of papers"),
        "form": _("form added: {id}"),
        "batch": _("batch {id} begun, {files} files"),
        "batch done": _("batch {id} read"),
        "batch reopened": _("batch {id} is put together anew"),
        "limits changed": _("limits changed: {targets} marks and {sheets} sheets read otherwise"),
        "record begun": _("the record begins: {decisions} decisions and {events} events before"),
        "sealed": _("the count is sealed with the keys {keys}"),
        "opened again": _("the sealed count is opened again: {why}"),
        "rules": _("rules of the figures: {rules}"),
        "batch facts": _("papers of batch {batch}: {told}"),
        "passed": _("lets the count pass as it stands: {why} ({open})"),
    }
    sentence = sentences.get(what)
    if what == "papers":
        known = {"issued": _("issued"), "collected": _("collected")}
        given = ", ".join(f"{known[name]} {detail[name]}" for name in known if name in detail)
        return f"{sentences[what]}: {given}"
    if what == "sealed":
        detail = {**detail, "keys": ", ".join(detail["keys"])}
    if what == "rules":
        words = [*map(str, detail["share"].values()), *detail["void"]]
        detail = {"rules": ", ".join(word for word in words if word != "None")}
    if what == "batch facts":
        told = {name: value for name, value in detail.items() if name not in {"batch", "by"}}
        if detail["batch"] is None:
            return _("papers counted by hand: {hand_count}").format(**told)
        said = ", ".join(f"{name} {value}" for name, value in told.items())
        detail = {"batch": detail["batch"], "told": said}
    return sentence.format(**detail) if sentence is not None else what
