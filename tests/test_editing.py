"""A form is corrected edit by edit: nothing is lost, nothing impossible is made."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.errors import FormError
from scanner.forms.template import (
    Comment,
    Contest,
    Form,
    FormSecrecy,
    Option,
    Page,
    Rule,
    Zone,
    read_form,
)
from scanner.geometry import Box
from scanner.registering import edits
from scanner.registering.editing import (
    MOST_STEPS,
    Draft,
    History,
    check_draft,
    dump_draft,
    load_draft,
    make_draft,
    make_form,
)

SHIPPED = sorted(path.parent for path in Path("form_templates").glob("*/form.yaml"))


def option(name: str, x: float, y: float, **fields: Any) -> Option:
    return Option.model_validate({"id": name, "x": x, "y": y, "w": 5.0, "h": 5.0, **fields})


def a4_page(number: int) -> Page:
    return Page(number=number, blank=f"page-{number}.png", width_mm=210.0, height_mm=297.0)


def small_form(**fields: Any) -> Form:
    """Two questions of three boxes, one under the other; a zone of each kind; two pages."""
    rows = ((40.0, "q1"), (60.0, "q2"))
    contests = [
        Contest(
            id=name,
            title=f"Question {name}",
            options=tuple(option(f"o{n}", 20.0 * n, y, label=f"{name} {n}") for n in (1, 2, 3)),
        )
        for y, name in rows
    ]
    given_fields = {
        "id": "small",
        "rule": Rule(review=("undervote",)),
        "pages": [a4_page(1), a4_page(2)],
        "contests": contests,
        "private": [Zone(x=20, y=200, w=100, h=10)],
        "comments": [Comment(id="c1", title="Why?", page=2, x=20, y=100, w=150, h=20)],
    }
    return Form.model_validate(given_fields | fields)


@pytest.fixture
def draft() -> Draft:
    return make_draft(small_form())


def keys_of(draft: Draft, question: int) -> tuple[int, ...]:
    return draft.questions[question].targets


def labels(draft: Draft, question: int) -> list[str]:
    return [draft.target(key).option.label for key in keys_of(draft, question)]


# --- a draft is its form -------------------------------------------------------------------


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_draft_says_what_its_form_says(folder: Path) -> None:
    form = read_form(folder)
    again = make_form(make_draft(form)).kept_in(folder)
    assert again == form
    assert again.content_hash == form.content_hash


def test_a_draft_forgets_no_field_of_a_question() -> None:
    contest = Contest(
        id="q", title="?", max=2, breakdown=True, options=(option("a", 10, 10), option("b", 30, 10))
    )
    assert set(Contest.model_fields) == {"id", "title", "max", "breakdown", "options"}
    form = small_form(contests=[contest])
    assert make_form(make_draft(form)).contests == (contest,)


def test_a_kept_draft_is_read_as_it_was(draft: Draft) -> None:
    loose = edits.release(draft, [keys_of(draft, 0)[1]])
    kept = json.loads(json.dumps(dump_draft(loose)))
    assert load_draft(kept) == loose


@pytest.mark.parametrize("broken", [None, {}, {"header": {}}, [1], "draft"])
def test_what_is_no_draft_is_not_taken_for_one(broken: object) -> None:
    with pytest.raises(FormError):
        load_draft(broken)


# --- moving and drawing --------------------------------------------------------------------


def test_what_is_moved_together_keeps_its_distances_and_stops_at_the_edge(draft: Draft) -> None:
    keys = keys_of(draft, 0)
    moved = edits.move(draft, keys, -500.0, 1.25)
    places = [draft.target(key).option.box for key in keys]
    after = [moved.target(key).option.box for key in keys]
    assert after[0].x == 0.0
    assert [box.x - after[0].x for box in after] == [box.x - places[0].x for box in places]
    assert [box.y for box in after] == [41.25] * 3


def test_a_zone_is_moved_and_resized_like_a_box(draft: Draft) -> None:
    key = draft.areas[0].key
    moved = edits.resize(edits.move(draft, [key], 1.0, -2.0), [key], 10.0, 5.0)
    zone = moved.area(key).zone
    assert (zone.x, zone.y, zone.w, zone.h) == (21.0, 198.0, 110.0, 15.0)


def test_nothing_is_made_smaller_than_can_be_seen_nor_larger_than_its_page(draft: Draft) -> None:
    key = keys_of(draft, 0)[0]
    tiny = edits.resize(draft, [key], -50.0, -50.0).target(key).option
    assert (tiny.w, tiny.h) == (edits.SMALLEST_MM, edits.SMALLEST_MM)
    huge = edits.place(draft, key, Box(-10.0, -10.0, 900.0, 900.0)).target(key).option
    assert (huge.x, huge.y, huge.w, huge.h) == (0.0, 0.0, 210.0, 297.0)


def test_a_box_that_is_drawn_belongs_to_no_question(draft: Draft) -> None:
    drawn = edits.add_targets(draft, 2, [(Box(10, 10, 5, 5), "circle")])
    (new,) = drawn.loose()
    assert (new.option.page, new.option.shape) == (2, "circle")
    assert edits.new_keys(draft, drawn) == [new.key]
    assert make_form(drawn) == make_form(draft)


def test_a_box_on_a_page_that_is_not_there_is_refused(draft: Draft) -> None:
    with pytest.raises(FormError, match="no page 3"):
        edits.add_targets(draft, 3, [(Box(10, 10, 5, 5), "box")])


def test_an_edit_of_what_is_gone_is_refused(draft: Draft) -> None:
    key = keys_of(draft, 0)[0]
    gone = edits.delete(draft, [key])
    for edit in (edits.delete, edits.duplicate):
        with pytest.raises(FormError, match="not there any more"):
            edit(gone, [key])
    with pytest.raises(FormError, match="Nothing is selected"):
        edits.move(draft, [], 1.0, 1.0)


# --- questions -----------------------------------------------------------------------------


def test_boxes_become_one_question_in_printed_order(draft: Draft) -> None:
    first, second = keys_of(draft, 0), keys_of(draft, 1)
    mixed = edits.group(draft, [second[0], first[2], first[1]])
    assert labels(mixed, 0) == ["q1 1"]
    assert labels(mixed, 1) == ["q1 2", "q1 3", "q2 1"]
    assert [mixed.target(key).option.id for key in keys_of(mixed, 1)] == ["o1", "o2", "o3"]
    assert labels(mixed, 2) == ["q2 2", "q2 3"]
    assert mixed.questions[1].id == "q3"
    make_form(mixed)


def test_two_questions_that_become_one_keep_title_and_ids_of_the_first(draft: Draft) -> None:
    whole = edits.group(draft, [*keys_of(draft, 1), *keys_of(draft, 0)])
    (question,) = whole.questions
    assert (question.id, question.title) == ("q1", "Question q1")
    ids = [whole.target(key).option.id for key in question.targets]
    assert ids == ["o1", "o2", "o3", "o4", "o5", "o6"]


@pytest.mark.parametrize("degrees", [-1.5, -0.7, 0.0, 0.7, 1.5])
def test_a_page_that_lies_askew_is_read_row_by_row(degrees: float) -> None:
    slope = math.tan(math.radians(degrees))
    grid = [(x, y) for y in (40.0, 55.0, 70.0) for x in (25.0, 85.0, 145.0)]
    blank = replace(make_draft(small_form(contests=[])), next_key=1)
    places = [(Box(x, y + slope * x, 4.5, 4.5), "box") for x, y in reversed(grid)]
    drawn = edits.add_targets(blank, 1, places)
    grouped = edits.group(drawn, [target.key for target in drawn.targets])
    order = [grouped.target(key).option for key in keys_of(grouped, 0)]
    assert [(one.x, round(one.y - slope * one.x)) for one in order] == grid


def test_a_question_goes_with_its_last_box(draft: Draft) -> None:
    assert [q.id for q in edits.delete(draft, keys_of(draft, 0)).questions] == ["q2"]
    assert [q.id for q in edits.release(draft, keys_of(draft, 1)).questions] == ["q1"]


def test_a_box_that_joins_a_question_takes_a_free_id_and_its_printed_place(draft: Draft) -> None:
    key = keys_of(draft, 1)[0]
    joined = edits.join(draft, [key], draft.questions[0].key)
    assert labels(joined, 0) == ["q1 1", "q1 2", "q1 3", "q2 1"]
    assert joined.target(key).option.id == "o4"


def test_the_copy_of_a_whole_question_is_a_question_and_that_of_a_box_an_answer(
    draft: Draft,
) -> None:
    twice = edits.duplicate(draft, keys_of(draft, 0))
    assert sorted(question.id for question in twice.questions) == ["q1", "q2", "q3"]
    more = edits.duplicate(draft, keys_of(draft, 0)[:1])
    assert [len(question.targets) for question in more.questions] == [4, 3]
    area = draft.areas[1].key
    zones = edits.duplicate(draft, [area]).areas
    assert len({area.zone.id for area in zones if isinstance(area.zone, Comment)}) == 2


def test_options_are_put_in_another_order_and_back_as_printed(draft: Draft) -> None:
    question = draft.questions[0]
    turned = edits.order_options(draft, question.key, question.targets[::-1])
    assert labels(turned, 0) == ["q1 3", "q1 2", "q1 1"]
    assert edits.order_options(turned, question.key, []) == draft
    with pytest.raises(FormError, match="each option"):
        edits.order_options(draft, question.key, question.targets[:2])


def test_questions_are_put_in_another_order(draft: Draft) -> None:
    shifted = edits.shift_question(draft, draft.questions[0].key, 5)
    assert [question.id for question in shifted.questions] == ["q2", "q1"]
    assert edits.shift_question(shifted, draft.questions[0].key, -1) == draft


def test_names_are_struck_out_in_a_whole_question_or_in_none(draft: Draft) -> None:
    key = keys_of(draft, 0)[1]
    struck = edits.change_targets(draft, [key], {"shape": "strike"})
    shapes = {struck.target(key).option.shape for key in keys_of(struck, 0)}
    assert shapes == {"strike"}
    assert edits.change_targets(struck, [key], {"shape": "box"}) == draft
    with pytest.raises(FormError, match="all names are struck out or none"):
        edits.join(struck, [keys_of(struck, 1)[0]], struck.questions[0].key)


def test_rules_and_words_are_changed_and_nothing_else(draft: Draft) -> None:
    key = draft.questions[0].key
    changed = edits.change_question(draft, key, {"max": 2, "breakdown": True})
    form = make_form(edits.change_form(changed, {"cancel": "fill-cancels", "title": "New"}))
    assert (form.contests[0].max, form.contests[0].breakdown) == (2, True)
    assert form.contests[0].title == "Question q1"
    secret = edits.change_form(changed, {"shuffled": True})
    assert make_form(edits.change_form(secret, {"smallest_group": 5})).secrecy == FormSecrecy(
        shuffled=True, smallest_group=5
    )
    assert form.secrecy == FormSecrecy()
    assert (form.rule.cancel, form.rule.review, form.title) == (
        "fill-cancels",
        ("undervote",),
        "New",
    )


@pytest.mark.parametrize(
    ("fields", "words"), [({"max": 0}, "max"), ({"id": "q2"}, "q2"), ({"id": ""}, "id")]
)
def test_what_cannot_be_is_refused_in_words(
    draft: Draft, fields: dict[str, Any], words: str
) -> None:
    with pytest.raises(FormError, match=words) as caught:
        edits.change_question(draft, draft.questions[0].key, fields)
    assert caught.value.remedy


def test_a_private_zone_has_no_title(draft: Draft) -> None:
    key = draft.areas[1].key
    named = edits.change_zone(draft, key, {"title": "Because", "private": False})
    assert make_form(named).comments[0].title == "Because"
    with pytest.raises(FormError, match="ever read"):
        edits.change_zone(draft, draft.areas[0].key, {"title": "Name"})


# --- any sequence of edits -----------------------------------------------------------------

length = st.floats(-400, 400, allow_nan=False)
Edit = Callable[[Draft], Draft]


def pick(draft: Draft, numbers: Collection[int]) -> list[int]:
    keys = [target.key for target in draft.targets] + [area.key for area in draft.areas]
    return sorted({keys[number % len(keys)] for number in numbers}) if keys else []


def place_one(draft: Draft, numbers: Collection[int], box: Box) -> Draft:
    keys = pick(draft, numbers)
    return edits.place(draft, keys[0] if keys else 0, box)


def one_question(draft: Draft, number: int) -> int:
    keys = [question.key for question in draft.questions]
    return keys[number % len(keys)] if keys else 0


numbers = st.lists(st.integers(0, 30), min_size=1, max_size=6)
any_edit: st.SearchStrategy[Edit] = st.one_of(
    st.builds(lambda n, x, y: lambda d: edits.move(d, pick(d, n), x, y), numbers, length, length),
    st.builds(lambda n, x, y: lambda d: edits.resize(d, pick(d, n), x, y), numbers, length, length),
    st.builds(
        lambda n, x, y: lambda d: place_one(d, n, Box(x, y, abs(y) + 0.1, 7.0)),
        numbers, length, length,
    ),
    st.builds(lambda n: lambda d: edits.delete(d, pick(d, n)), numbers),
    st.builds(lambda n: lambda d: edits.duplicate(d, pick(d, n)), numbers),
    st.builds(lambda n: lambda d: edits.group(d, pick(d, n)), numbers),
    st.builds(lambda n: lambda d: edits.release(d, pick(d, n)), numbers),
    st.builds(
        lambda n, q: lambda d: edits.join(d, pick(d, n), one_question(d, q)),
        numbers, st.integers(0, 5),
    ),
    st.builds(
        lambda p, x, y: lambda d: edits.add_targets(d, p, [(Box(x, y, 5, 5), "oval")]),
        st.integers(1, 3), length, length,
    ),
    st.builds(
        lambda k, x, y: lambda d: edits.add_zone(d, k, 1, Box(x, y, 30, 9)),
        st.sampled_from(["private", "comments"]), length, length,
    ),
    st.builds(
        lambda n, s: lambda d: edits.change_targets(d, pick(d, n), {"shape": s}),
        numbers, st.sampled_from(["box", "strike", "cell"]),
    ),
    st.builds(
        lambda q, m: lambda d: edits.change_question(d, one_question(d, q), {"max": m}),
        st.integers(0, 5), st.integers(-1, 4),
    ),
    st.builds(
        lambda q, b: lambda d: edits.shift_question(d, one_question(d, q), b),
        st.integers(0, 5), st.integers(-3, 3),
    ),
)  # fmt: skip


@settings(max_examples=60, deadline=None)
@given(st.lists(any_edit, max_size=25))
def test_after_any_edits_the_draft_is_a_form_and_undoing_leads_back(made: list[Edit]) -> None:
    first = make_draft(small_form())
    history = History(first)
    seen = [first]
    for edit in made:
        try:
            after = edit(history.present)
        except FormError as error:
            assert error.message.endswith(".")
            continue
        history = history.after(after)
        if history.present is not seen[-1]:
            seen.append(history.present)
        check_draft(after)
        form = make_form(after)
        assert make_form(make_draft(form)) == form
        assert load_draft(json.loads(json.dumps(dump_draft(after)))) == after
        keys = [target.key for target in after.targets] + [area.key for area in after.areas]
        keys += [question.key for question in after.questions]
        assert len(keys) == len(set(keys))
    for expected in reversed(seen[:-1]):
        history = history.undone()
        assert history.present == expected
    assert history.undone() is history
    for expected in seen[1:]:
        history = history.redone()
        assert history.present == expected
    assert history.redone() is history


def test_a_new_edit_forgets_what_was_undone(draft: Draft) -> None:
    once = History(draft).after(edits.move(draft, [1], 1, 0))
    other = once.undone().after(edits.move(draft, [1], 2, 0))
    assert other.redone() is other
    assert other.after(other.present) is other


def test_only_so_many_edits_are_kept(draft: Draft) -> None:
    history = History(draft)
    for number in range(MOST_STEPS + 5):
        step = 1.0 if number % 2 else -1.0
        history = history.after(edits.move(history.present, [1], step, 0))
    assert len(history.past) == MOST_STEPS
