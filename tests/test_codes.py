"""A printed code names its page, and no other code is taken for ours."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.forms.codes import PageCode, decode_code, encode_code
from scanner.forms.damage import Damage
from scanner.reading.codes import read_page_code
from tests.synthetic import Gray, scan_like, stamp_code

CODE = PageCode("so-xay-dung", 2, "000417")
form_ids = st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", fullmatch=True)
codes = st.builds(
    PageCode,
    form=form_ids,
    page=st.integers(1, 99),
    serial=st.text(st.characters(exclude_characters=":", codec="ascii"), max_size=12),
)


def page_with(*texts: str) -> Gray:
    """A bare page with a code, or with more than one, the next below the last."""
    page = np.full((700, 500), 255, np.uint8)
    for number, text in enumerate(texts):
        stamp_code(page[300 * number :], text)
    return page


@given(codes)
def test_what_is_written_in_a_code_is_read_from_it(code: PageCode) -> None:
    assert decode_code(encode_code(code)) == code


@given(codes, st.data())
def test_one_letter_misread_is_noticed(code: PageCode, data: st.DataObject) -> None:
    text = encode_code(code)
    at = data.draw(st.integers(0, len(text) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != text[at]))
    assert decode_code(text[:at] + letter + text[at + 1 :]) is None


@given(st.text(max_size=60))
def test_any_other_text_is_no_code_of_ours(text: str) -> None:
    assert decode_code(text) is None


@pytest.mark.parametrize("code", [PageCode("a:b", 1), PageCode("a", 1, "7:8")])
def test_a_colon_within_a_part_is_refused(code: PageCode) -> None:
    with pytest.raises(ValueError, match="colon"):
        encode_code(code)


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
@pytest.mark.parametrize(
    "damage",
    [
        Damage(),
        Damage(rotation_deg=2, blur_mm=0.1, noise=3, paper=235, black=50),
        Damage(bilevel=True),
        Damage(jpeg_quality=40, specks=20),
    ],
    ids=["clean", "office", "bilevel", "jpeg"],
)
def test_a_code_is_read_whichever_way_up(damage: Damage, turns: int) -> None:
    scan = scan_like(page_with(encode_code(CODE)), damage)
    assert read_page_code(np.ascontiguousarray(np.rot90(scan, turns))) == CODE


@pytest.mark.parametrize(
    "text",
    ["https://example.org/vote", "KP1:form:1::00000000", "KP2:form:1::1234abcd", "1234567890"],
)
def test_a_foreign_code_is_ignored(text: str) -> None:
    assert read_page_code(page_with(text)) is None
    assert read_page_code(page_with(text, encode_code(CODE))) == CODE


def test_two_codes_that_disagree_say_nothing() -> None:
    other = encode_code(PageCode("other", 1))
    assert read_page_code(page_with(encode_code(CODE), other)) is None
    assert read_page_code(page_with(encode_code(CODE), encode_code(CODE))) == CODE


def test_a_page_without_a_code_says_nothing() -> None:
    assert read_page_code(page_with()) is None
    scribble = page_with(encode_code(CODE))
    cv2.line(scribble, (350, 20), (500, 130), 0, 40)
    assert read_page_code(scribble) is None
