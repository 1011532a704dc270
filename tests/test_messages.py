"""Both languages say everything, and say the same."""

from __future__ import annotations

import re
import threading
import unicodedata
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po
from jinja2.ext import babel_extract

from scanner import messages
from scanner.ballot import ContestState, MarkState, Reason, SheetStatus

ROOT = Path(__file__).parents[1]
CATALOG = messages.LOCALE_FOLDER / "vi" / "LC_MESSAGES" / "kiemphieu.po"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2)}
CLOSED_LISTS: tuple[type[messages.Described], ...] = (MarkState, ContestState, SheetStatus, Reason)
MEMBERS: list[messages.Described] = [member for members in CLOSED_LISTS for member in members]

REVIEW = ROOT / "scanner" / "review"
TEMPLATES = sorted((ROOT / "scanner").rglob("templates/**/*.html"))
SCRIPTS = sorted((REVIEW / "static").rglob("*.js"))
SAME_IN_ALL_LANGUAGES = re.compile(r"Kiểm Phiếu|\bCtrl\b|\b[^\W\d_]\b|\bmm\b|%")
"""The name of the program, a letter of a key, a unit."""
READ_OUT = {"alt", "aria-description", "aria-label", "placeholder", "title"}

Message = str | tuple[str, ...]


@cache
def vietnamese() -> Catalog:
    """The Vietnamese texts as they stand in the repository."""
    with CATALOG.open("rb") as stream:
        return read_po(stream, locale="vi")


@cache
def messages_in_the_code() -> dict[Message, str]:
    """Every message of the program, with where it stands."""
    found: dict[Message, str] = {}
    for path in [*ROOT.glob("cli.py"), *sorted((ROOT / "scanner").rglob("*.py"))]:
        for line, message, *_rest in extract_from_file("python", path, keywords=KEYWORDS):
            found.setdefault(_without_gaps(message), f"{path.relative_to(ROOT)}:{line}")
    for path in TEMPLATES:
        with path.open("rb") as stream:
            extracted = babel_extract(stream, list(KEYWORDS), [], {"silent": "false"})
            for place, _function, texts_of, _comments in extracted:
                found.setdefault(_without_gaps(texts_of), f"{path.relative_to(ROOT)}:{place}")
    return found


def _without_gaps(message: str | tuple[str | None, ...] | None) -> Message:
    """Of a call with plural forms only those: the count is no text."""
    return message if isinstance(message, str) else tuple(text for text in message or () if text)


class Visible(HTMLParser):
    """The text of a page that a person reads or hears, but for keys and what is in a language."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._passed_over: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        says_language = any(name == "lang" for name, _value in attrs) and tag != "html"
        self._passed_over += [tag] if says_language or tag in {"script", "style", "kbd"} else []
        self.found += [value for name, value in attrs if name in READ_OUT and value]

    def handle_endtag(self, tag: str) -> None:
        if self._passed_over and self._passed_over[-1] == tag:
            self._passed_over.pop()

    def handle_data(self, data: str) -> None:
        if not self._passed_over:
            self.found.append(data)


def bare_texts(template: str) -> list[str]:
    """What a template says without having it translated."""
    named = re.sub(r"{% block main_class %}.*?{% endblock %}", "", template)
    html = re.sub(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", "", named, flags=re.DOTALL)
    # A macro may be nothing but attributes.
    html = re.sub(r"[\w-]+=\"\"", "", html)
    page = Visible()
    page.feed(html)
    said = [text.strip() for text in page.found]
    return [text for text in said if _has_word(SAME_IN_ALL_LANGUAGES.sub("", text))]


def _has_word(text: str) -> bool:
    return re.search(r"[^\W\d_]{2}", text) is not None


def texts_of_script(script: str) -> list[str]:
    """Literals of a script that a person would read: sentences, and what is put on the page."""
    code = re.sub(r"/\*.*?\*/|^\s*//.*?$|\s//\s.*?$", "", script, flags=re.DOTALL | re.MULTILINE)
    literal = r"""(["'`])((?:\\.|(?!\1)[^\\\n])*)\1"""
    sentences = [
        text
        for _quote, text in re.findall(literal, code)
        if re.match(r"[A-Z][a-z]+,? \w", text) or re.search(r"[^\W\d_a-zA-Z]", text)
    ]
    shown = r"""(?:textContent|innerText|placeholder|title|ariaLabel)\s*=\s*["'`][^"'`$]*[a-z]{2}"""
    attribute = r"""setAttribute\(\s*["'](?:title|aria-label|placeholder)["'],\s*["'`]\w"""
    return [*sentences, *re.findall(shown, code), *re.findall(attribute, code)]


def fields(text: str) -> list[str]:
    """The placeholders of a text, sorted: ``"{n} of {total}"`` -> ``["n", "total"]``."""
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def texts(message: Message | list[str] | None) -> list[str]:
    """The texts of a message: one, or one a plural form."""
    return [message] if isinstance(message, str) else list(message or [])


def test_every_message_of_the_program_is_there_in_vietnamese() -> None:
    missing = []
    for message, place in messages_in_the_code().items():
        entry = vietnamese().get(texts(message)[0])
        if entry is None or entry.fuzzy or not any(texts(entry.string)):
            missing.append(f"{place}: {texts(message)[0]!r}")
    assert not missing, "\n".join(["no Vietnamese for:", *missing])


def test_no_translation_is_left_of_a_message_that_is_gone() -> None:
    used = {texts(message)[0] for message in messages_in_the_code()}
    left = [texts(entry.id)[0] for entry in vietnamese() if entry.id]
    assert sorted(set(left) - used) == []


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.name)
def test_a_template_says_nothing_that_is_not_translated(path: Path) -> None:
    assert bare_texts(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_holds_no_text_of_its_own(path: Path) -> None:
    assert texts_of_script(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_puts_no_markup_together(path: Path) -> None:
    code = path.read_text(encoding="utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", code)


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Untranslated</p>", ["Untranslated"]),
        ('<img alt="A sheet">', ["A sheet"]),
        ('<p title="{{ _("Sheet") }}">{{ name }}: <kbd>Enter</kbd> · Kiểm Phiếu</p>', []),
        ("<script>const a = 'Text';</script>{% if so %}<b>!</b>{% endif %}", []),
    ],
)
def test_a_text_left_bare_in_a_template_is_found(template: str, found: list[str]) -> None:
    assert bare_texts(template) == found


@pytest.mark.parametrize(
    ("script", "is_found"),
    [
        ('say("Nothing was saved.");', True),
        ("box.textContent = 'gone';", True),
        ('const word = "phiếu";', True),
        ('made.setAttribute("aria-label", "Close");', True),
        ('// Says what is wrong.\nif (event.key === "Enter") add("quiet close");', False),
        ("box.textContent = words.close;", False),
    ],
)
def test_a_text_in_a_script_is_found(script: str, *, is_found: bool) -> None:
    assert bool(texts_of_script(script)) is is_found


def test_a_translation_has_the_same_placeholders() -> None:
    for entry in vietnamese():
        if entry.id:
            wanted = fields(texts(entry.id)[-1])
            for text in texts(entry.string):
                assert fields(text) == wanted, text


def test_vietnamese_letters_are_composed() -> None:
    text = CATALOG.read_text(encoding="utf-8")
    assert text == unicodedata.normalize("NFC", text)


@pytest.mark.parametrize("member", MEMBERS, ids=lambda member: f"{type(member).__name__}.{member}")
def test_every_member_of_a_closed_list_has_a_text_in_both_languages(
    member: messages.Described,
) -> None:
    messages.set_language("en")
    english = messages.describe(member)
    messages.set_language("vi")
    vietnamese_text = messages.describe(member)
    assert english.strip()
    assert vietnamese_text.strip()
    assert english != vietnamese_text


@pytest.mark.parametrize("members", CLOSED_LISTS)
def test_no_two_members_of_a_closed_list_read_alike(members: type[messages.Described]) -> None:
    for language in messages.LANGUAGES:
        messages.set_language(language)
        described = [messages.describe(member) for member in members]
        assert len(set(described)) == len(described)


def test_members_with_the_same_value_keep_their_own_text() -> None:
    assert messages.describe(ContestState.OVERVOTE) == "overvote"
    assert messages.describe(Reason.OVERVOTE) == "More options are chosen than allowed."


def test_the_words_are_those_of_the_design() -> None:
    messages.set_language("vi")
    assert messages.describe(ContestState.OVERVOTE) == "đánh quá số ô"
    assert messages.describe(ContestState.UNDERVOTE) == "thiếu"
    assert messages.describe(ContestState.BLANK) == "không trả lời"


def test_the_words_in_the_documents_are_those_of_the_program() -> None:
    messages.set_language("vi")
    words = (ROOT / "docs" / "words.md").read_text(encoding="utf-8")
    states = (ContestState.OVERVOTE, ContestState.UNDERVOTE, ContestState.BLANK, *SheetStatus)
    for member in states:
        name = member.value.replace("_", " ")
        assert re.search(rf"^\| {name} \|.*\| {messages.describe(member)} \|$", words, re.M), name


def test_an_explicit_language_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KIEMPHIEU_LANG", "vi")
    messages.set_language("en_GB.UTF-8")
    assert messages.current_language() == "en"
    messages.set_language(None)
    assert messages.current_language() == "vi"


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "vi_VN.UTF-8"}, "vi"),
        ({"LANG": "C.UTF-8"}, "en"),
        ({"LANG": "fr_FR.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "vi_VN"}, "vi"),
        ({"LC_MESSAGES": "vi_VN", "LC_ALL": "POSIX"}, "en"),
        ({"LC_ALL": "en_US.UTF-8", "KIEMPHIEU_LANG": "vi"}, "vi"),
        ({"LC_ALL": "", "LANG": "vi_VN.UTF-8"}, "vi"),
    ],
)
def test_the_environment_chooses_in_the_order_of_gettext(
    environment: dict[str, str], language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for variable in ("KIEMPHIEU_LANG", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    assert messages.current_language() == language


def test_two_requests_at_once_are_answered_each_in_its_language() -> None:
    messages.set_language("en")
    both_speak = threading.Barrier(2, timeout=10)
    answers: dict[str, str] = {}

    def answer(language: str) -> None:
        with messages.speaking(language):
            both_speak.wait()
            answers[language] = messages.describe(ContestState.BLANK)

    threads = [threading.Thread(target=answer, args=(code,)) for code in messages.LANGUAGES]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"en": "blank", "vi": "không trả lời"}
    assert messages.current_language() == "en"


def test_a_language_without_texts_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"'fr'.*en, vi"):
        messages.set_language("fr")


def test_a_message_without_translation_stays_readable() -> None:
    messages.set_language("vi")
    assert messages.gettext("Not in any catalog.") == "Not in any catalog."


def test_plural_messages_count() -> None:
    assert messages.ngettext("{n} thing", "{n} things", 1) == "{n} thing"
    assert messages.ngettext("{n} thing", "{n} things", 2) == "{n} things"
