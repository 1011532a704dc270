"""The plan of the house holds: which room may know what."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import scanner
from scanner.ballot import Reason
from scanner.errors import ExitCode
from scanner.settings import Settings

ROOT = Path(__file__).parents[1]

ROOMS = (
    {"errors", "geometry", "ballot", "settings", "messages"},
    {"forms"},
    {"reading"},
    {"registering"},
    {"counting"},
    {"publishing"},
    {"review"},
    {"commands"},
    {"cli"},
)
"""A room may import from itself and from those before it."""

ONLY_IN = {
    "cv2": (
        "scanner/forms/",
        "scanner/reading/",
        "scanner/registering/",
        "scanner/publishing/",
    ),
    "sqlalchemy": ("scanner/counting/store",),
    "sqlite3": ("scanner/counting/store",),
    "click": ("cli.py", "scanner/commands/"),
    "rich_click": ("cli.py", "scanner/commands/"),
    "fastapi": ("scanner/review/",),
    "starlette": ("scanner/review/",),
    "jinja2": ("scanner/review/", "scanner/publishing/"),
    "uvicorn": ("scanner/review/",),
}
"""A library, and the only places of the program that may import it."""

RULES_OF_AN_ELECTION = (
    "ballot", "decide", "tally", "sheets", "rules", "sheet_rules", "reconcile", "breakdown",
    "effort", "satisfaction",
)  # fmt: skip
"""Modules that are tested as tables, so neither they nor what they import may know these:"""
IMAGES_AND_DATABASES = {"cv2", "skimage", "PIL", "pypdfium2", "pikepdf", "zxingcpp", "sqlalchemy"}

MOST_LINES = 500

ALLOWED_ADDRESSES = (
    "https" + "://json-schema.org/draft/",
    "http" + "://www.w3.org/2000/svg",
    "https" + "://example.org",
    "http" + "://127.0.0.1",
    "http" + "://192.168.",
)
"""Names of standards, of nobody (RFC 2606), of this machine and of an office network."""
TEXT_FILES = {
    ".cfg", ".css", ".csv", ".html", ".js", ".json", ".lock", ".md", ".po", ".py", ".sh", ".toml",
    ".txt", ".yaml", ".yml", "",
}  # fmt: skip
NOT_OURS = {".git", ".venv", "__pycache__", "build", "dist", "counts", "demo-count"}


@cache
def modules() -> dict[str, Path]:
    """Every module of the program by its dotted name."""
    paths = [*ROOT.glob("cli.py"), *sorted((ROOT / "scanner").rglob("*.py"))]
    return {_dotted(path): path for path in paths}


def _dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


@cache
def imports_of(name: str) -> frozenset[str]:
    """Dotted names that a module imports anywhere in it, also inside functions."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(modules()[name].read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    return frozenset(found)


def room_of(name: str) -> int | None:
    """Which storey a dotted name of ours is on; None for the package itself and for others."""
    parts = name.split(".")
    room = parts[0] if parts[0] != "scanner" else ".".join(parts[1:2])
    return next((number for number, rooms in enumerate(ROOMS) if room in rooms), None)


def all_that_is_imported_by(name: str) -> set[str]:
    """What a module imports, and what our own modules among that import in turn."""
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        for imported in imports_of(waiting.pop()) - seen:
            seen.add(imported)
            if imported in modules():
                waiting.append(imported)
    return seen


def project_texts() -> Iterator[tuple[Path, str]]:
    """Every text file of the project, with its text."""
    for path in sorted(ROOT.rglob("*")):
        inside = path.relative_to(ROOT)
        hidden = any(part.startswith(".") and part != ".ci" for part in inside.parts[:-1])
        if hidden or NOT_OURS & set(inside.parts) or path.suffix not in TEXT_FILES:
            continue
        if path.is_file():
            yield inside, path.read_text(encoding="utf-8", errors="replace")


def test_every_module_lies_in_a_room() -> None:
    homeless = [name for name in modules() if name != "scanner" and room_of(name) is None]
    assert homeless == []


def test_imports_point_one_way() -> None:
    wrong = []
    for name in modules():
        own = room_of(name)
        for imported in imports_of(name):
            other = room_of(imported) if imported.split(".")[0] in {"scanner", "cli"} else None
            if own is not None and other is not None and other > own:
                wrong.append(f"{name} imports {imported}")
    assert wrong == []


@pytest.mark.parametrize("library", sorted(ONLY_IN))
def test_a_library_stays_in_its_rooms(library: str) -> None:
    strays = []
    for name, path in modules().items():
        place = path.relative_to(ROOT).as_posix()
        uses = any(imported.split(".")[0] == library for imported in imports_of(name))
        if uses and not place.startswith(ONLY_IN[library]):
            strays.append(place)
    assert strays == []


def test_the_rules_of_an_election_need_neither_image_nor_database() -> None:
    pure = [name for name in modules() if name.rpartition(".")[2] in RULES_OF_AN_ELECTION]
    assert pure
    for name in pure:
        libraries = {imported.split(".")[0] for imported in all_that_is_imported_by(name)}
        assert not libraries & IMAGES_AND_DATABASES, name


def test_no_module_is_longer_than_a_person_reads() -> None:
    folders = ("scanner", "tests", "benchmarks")
    paths = [*ROOT.glob("cli.py"), *(p for name in folders for p in (ROOT / name).rglob("*.py"))]
    long = {
        path.relative_to(ROOT).as_posix(): lines
        for path in paths
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > MOST_LINES
    }
    assert long == {}


def test_messages_to_be_translated_are_written_out() -> None:
    built = []
    for name, path in modules().items():
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if (
                isinstance(node, ast.Call)
                and isinstance(node.func, ast.Name)
                and node.func.id == "_"
                and not (node.args and isinstance(node.args[0], ast.Constant))
            ):
                built.append(f"{name}:{node.lineno}")
    assert built == []


def test_the_project_names_no_address_on_the_net() -> None:
    found = []
    for path, text in project_texts():
        for address in re.findall(r"https?://[A-Za-z0-9][^\s\"'<>)]*", text):
            if not address.startswith(ALLOWED_ADDRESSES):
                found.append(f"{path}: {address}")
    assert found == []


def test_every_link_in_the_documents_leads_somewhere() -> None:
    dead = []
    for path, text in project_texts():
        if path.suffix == ".md":
            for link in re.findall(r"\]\(([^)#:]+)[^)]*\)", text):
                if not (ROOT / path.parent / link).exists():
                    dead.append(f"{path}: {link}")
    assert dead == []


def test_every_link_to_a_heading_finds_it() -> None:
    dead = []
    for path, text in project_texts():
        if path.suffix == ".md":
            for link, anchor in re.findall(r"\]\(([^)#:]*)#([^)]+)\)", text):
                target = ROOT / path.parent / link if link else ROOT / path
                if anchor not in anchors(target.read_text(encoding="utf-8")):
                    dead.append(f"{path}: {link}#{anchor}")
    assert dead == []


def anchors(document: str) -> set[str]:
    """What a document's headings are called in links: lower case, hyphens, no punctuation."""
    headings = re.findall(r"^#+ (.+)$", document, flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def rows_of(document: str, header: str) -> list[list[str]]:
    """The cells of the table below a header line, without backticks."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    lines = text[text.index(header) :].splitlines()[2:]
    table = lines[: next((n for n, line in enumerate(lines) if not line.startswith("|")), None)]
    return [[cell.strip(" `") for cell in line.strip("|").split("|")] for line in table]


def test_the_documented_exit_codes_are_those_of_the_program() -> None:
    documented = {int(code): name for code, name, _ in rows_of("exit-codes.md", "| code |")}
    assert documented == {code.value: code.name.lower().replace("_", " ") for code in ExitCode}


def test_the_documented_thresholds_are_those_of_the_program() -> None:
    documented = {name: float(value) for name, value, _ in rows_of("reading.md", "| setting |")}
    assert documented == Settings().model_dump()


def test_the_documented_reasons_are_those_of_the_program() -> None:
    documented = [
        name for names, _, _ in rows_of("reading.md", "| reason |") for name in names.split("`, `")
    ]
    assert sorted(documented) == sorted(Reason)


def test_the_figures_in_the_readme_are_those_that_the_demo_expects() -> None:
    sample = ROOT / "samples" / "so_xay_dung_2023" / "expected.json"
    expected = json.loads(sample.read_text(encoding="utf-8"))
    published = {f"{row['count']}/{row['of']} {row['percent']} %" for row in expected["published"]}
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    figures = re.findall(r"(\d+/\d+ \d+ %) \| (\d+/\d+ \d+ %)", readme)
    assert len(figures) == 5
    for counted, from_the_report in figures:
        assert counted == from_the_report
        assert counted in published


def test_the_lock_holds_names_versions_and_hashes_only() -> None:
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        assert re.fullmatch(
            r"[a-z0-9-]+==[^ ]+( ; [^\\]+)? \\|    --hash=sha256:[0-9a-f]{64}( \\)?", line
        ), line


def test_the_lock_has_every_library_that_the_project_names() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    named = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r"^([a-z0-9-]+)==", lock, flags=re.MULTILINE))
    wanted = {re.sub(r"[-_.]+", "-", re.split(r"[<>=!~ ;\[]", name)[0]).lower() for name in named}
    assert wanted <= locked


def test_the_change_log_knows_this_version() -> None:
    log = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## {scanner.__version__}" in log


@pytest.mark.skipif(
    sys.platform == "win32" or shutil.which("sh") is None, reason="needs a POSIX shell"
)
def test_the_run_script_explains_itself_without_setting_anything_up() -> None:
    answer = subprocess.run(
        ["sh", str(ROOT / "run"), "help"], capture_output=True, text=True, check=True
    )
    for command in ("./run demo", "./run test", "./run check", "./run setup"):
        assert command in answer.stdout
