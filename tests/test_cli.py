"""The commands as a user types them: what they say, write and return."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import cv2
import pytest

import cli
from scanner.ballot import Reason, SheetStatus
from scanner.commands.exporting import EXPORTS
from scanner.counting import intake, workers
from scanner.counting.intake import ScanOptions
from scanner.errors import CountError, ExitCode
from scanner.messages import set_language
from tests.fake_pages import UNKNOWN, FakeFactory, draw_page, draw_pile, make_form

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command in a folder with a form and a pile; code, output and error output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KIEMPHIEU_FORMS", str(tmp_path / "forms"))
    options = ScanOptions.__init__.__defaults__
    assert options is not None
    monkeypatch.setattr(ScanOptions.__init__, "__defaults__", (*options[:-1], FakeFactory))
    make_form(tmp_path / "forms", "khao-sat")
    pile = draw_pile(tmp_path / "in", 3)
    pile.append(draw_page(tmp_path / "in" / "8-1.png", 0, 1, [1, 0, 0], voter=90))
    pile.append(draw_page(tmp_path / "in" / "8-2.png", 0, 2, [1, 2, 0], voter=90))
    pile.append(draw_page(tmp_path / "in" / "9.png", UNKNOWN, 1, voter=91))

    def command(*arguments: str) -> tuple[int, str, str]:
        code = cli.main([str(argument) for argument in arguments])
        said = capsys.readouterr()
        return code, said.out, said.err

    return command


@pytest.fixture
def scanned(run: Run) -> Run:
    assert run("scan", "count", "in", "-j", "1")[0] == ExitCode.OK
    return run


def every_command(
    group: click.Group, *path: str
) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    for name, command in group.commands.items():
        if isinstance(command, click.Group):
            yield from every_command(command, *path, name)
        else:
            yield (*path, name), command


COMMANDS = dict(every_command(cli.cli))


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_is_explained_with_an_example(path: tuple[str, ...]) -> None:
    command = COMMANDS[path]
    assert command.help is not None
    assert f"Example: kiemphieu {' '.join(path)}" in command.help
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert parameter.help, f"{path} {parameter.name}"


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_every_command_shows_its_help(run: Run, path: tuple[str, ...]) -> None:
    code, out, _err = run(*path, "--help")
    assert code == ExitCode.OK
    assert f"kiemphieu {' '.join(path)}" in out


def test_help_is_there_before_anything_heavy_is_loaded() -> None:
    heavy = "cv2", "numpy", "pydantic", "sqlalchemy", "pikepdf", "reportlab"
    code = f"""
import sys, cli
assert cli.main(["--help"]) == 0
assert cli.main(["form", "--help"]) == 0
print("loaded:", sorted({{*{heavy!r}}} & {{*sys.modules}}))
"""
    root = Path(cli.__file__).parent
    answer = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert answer.stdout.splitlines()[-1] == "loaded: []"


def test_every_export_is_offered() -> None:
    from scanner.publishing.exports import Export

    assert tuple(Export) == EXPORTS


def test_every_column_of_the_exports_is_documented() -> None:
    from scanner.publishing.exports import BOX_COLUMNS, VOTE_COLUMNS

    text = (Path(cli.__file__).parent / "docs" / "exports.md").read_text("utf-8")
    for column in (*BOX_COLUMNS, *VOTE_COLUMNS):
        assert f"`{column}`" in text, column


def test_a_scan_says_what_it_found_and_what_to_do_next(run: Run) -> None:
    code, out, _err = run("scan", "count", "in", "-j", "1")
    assert code == ExitCode.OK
    for words in (
        "9 pages, 5 sheets",
        "3 │ clean",
        "1 │ in doubt",
        "1 × It is not clear whether this box is marked.",
        "1 │ refused",
        "9.png, page 1: The page is not of any registered form.",
        "kiemphieu list count --status in_doubt",
    ):
        assert words in out


def test_files_that_were_scanned_before_are_named(scanned: Run) -> None:
    _code, out, _err = scanned("scan", "count", "in", "-j", "1")
    assert out.count("not counted twice") == 9


def test_the_tally_shows_every_figure_and_how_it_closes(scanned: Run) -> None:
    code, out, _err = scanned("tally", "count", "--issued", "7", "--collected", "6")
    assert code == ExitCode.OK
    for words in (
        "Mẫu khao-sat (khao-sat)",
        "Câu 1",
        "Phương án 1",
        "1/3",
        "33 %",
        "3 clean + 0 decided + 1 in doubt + 1 refused = 5 scanned.",
        "This does not add up: Scanned 5, Collected 6.",
        "This tally is provisional: 2 sheets wait for a person",
    ):
        assert words in out


def test_a_decision_makes_a_sheet_count(scanned: Run) -> None:
    code, out, _err = scanned("decide", "count", "0004", "c2", "o2", "--by", "Lan", "--why", "rõ")
    assert (code, out.strip()) == (ExitCode.OK, "0004: decided")
    _code, out, _err = scanned("tally", "count", "--collected", "5")
    assert "This tally is provisional: 1 sheet waits for a person" in out, "the unknown page"
    assert "2/4" in out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("c2", "--blank"), SheetStatus.DECIDED),
        (("c2", "--invalid"), SheetStatus.DECIDED),
        (("--refuse",), SheetStatus.REFUSED),
        (("--accept",), SheetStatus.IN_DOUBT),
    ],
)
def test_a_decision_can_be_a_flag(
    scanned: Run, arguments: tuple[str, ...], status: SheetStatus
) -> None:
    code, _out, _err = scanned("decide", "count", "4", *arguments, "--by", "Lan", "--why", "rõ")
    assert code == ExitCode.OK
    _code, out, _err = scanned("list", "count", "--status", status)
    assert "0004" in out


def test_the_list_tells_the_reason_in_words(scanned: Run) -> None:
    _code, out, _err = scanned("list", "count", "--status", "in_doubt")
    assert "0004" in out
    assert "0005" not in out
    assert "Câu 2 [c2]: It is not clear" in out
    _code, out, _err = scanned("list", "count", "--status", "refused")
    assert "0005" in out
    _code, out, _err = scanned("list", "count", "--status", "decided")
    assert "no such sheet" in out


def test_a_sheet_is_shown_as_pictures(scanned: Run, tmp_path: Path) -> None:
    code, out, _err = scanned("show", "count", "4", "-o", "pictures")
    assert code == ExitCode.OK
    for place in (1, 2):
        path = tmp_path / "pictures" / f"sheet-0004-{place}.png"
        assert path.name in out
        assert cv2.imread(str(path)) is not None


def test_the_picture_of_a_sheet_takes_the_name_that_is_given(run: Run, tmp_path: Path) -> None:
    make_form(tmp_path / "forms", "phieu-ngan", pages=1)
    page = draw_page(tmp_path / "one.png", 1, 1, [1, 0, 0])
    assert run("scan", "count", str(page), "-j", "1")[0] == ExitCode.OK
    code, out, _err = run("show", "count", "1", "-o", "pictures/sheet.PNG")
    assert code == ExitCode.OK
    assert "sheet.PNG" in out
    assert [path.name for path in (tmp_path / "pictures").iterdir()] == ["sheet.PNG"]
    assert cv2.imread(str(tmp_path / "pictures" / "sheet.PNG")) is not None


def test_several_pictures_of_a_sheet_get_numbers_after_the_name(
    scanned: Run, tmp_path: Path
) -> None:
    code, out, _err = scanned("show", "count", "4", "-o", "sheet.png")
    assert code == ExitCode.OK
    assert not (tmp_path / "sheet.png").exists()
    for name in ("sheet-1.png", "sheet-2.png"):
        assert name in out
        assert cv2.imread(str(tmp_path / name)) is not None


def test_a_folder_may_be_called_like_a_picture(scanned: Run, tmp_path: Path) -> None:
    (tmp_path / "old.png").mkdir()
    assert scanned("show", "count", "4", "-o", "old.png")[0] == ExitCode.OK
    assert (tmp_path / "old.png" / "sheet-0004-2.png").is_file()


def test_forms_without_a_sheet_are_named_in_one_line_of_the_tally(run: Run, tmp_path: Path) -> None:
    for name in ("phieu-b", "phieu-c"):
        make_form(tmp_path / "forms", name)
    assert run("scan", "count", "in", "-j", "1")[0] == ExitCode.OK
    _code, out, _err = run("tally", "count")
    assert "Mẫu khao-sat (khao-sat)" in out
    assert "1/3" in out
    assert "No sheet counts or waits of: phieu-b, phieu-c." in out
    assert "Mẫu phieu" not in out
    assert "/0" not in out


def test_a_form_whose_only_sheet_waits_is_in_the_tally(run: Run, tmp_path: Path) -> None:
    make_form(tmp_path / "forms", "phieu-ngan", pages=1)
    draw_page(tmp_path / "in" / "7.png", 1, 1, [0, 2, 0])
    assert run("scan", "count", "in", "-j", "1")[0] == ExitCode.OK
    _code, out, _err = run("tally", "count")
    assert "Mẫu phieu-ngan (phieu-ngan)" in out
    assert "No sheet" not in out


def test_a_scan_says_where_only_one_process_reads(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(workers, "ProcessPoolExecutor", refuse)
    code, out, err = run("scan", "count", "in", "-j", "2")
    assert code == ExitCode.OK
    assert "No process can be started to read with (Permission denied)." in err
    assert "One process reads all pages" in err
    assert "3 │ clean" in out
    _code, _out, err = run("scan", "another", "in", "-j", "1")
    assert "process" not in err


def test_a_refused_page_is_shown_too(scanned: Run, tmp_path: Path) -> None:
    assert scanned("show", "count", "5")[0] == ExitCode.OK
    assert (tmp_path / "count" / "exports" / "sheet-0005-1.png").is_file()


def test_exports_go_where_they_are_told(scanned: Run, tmp_path: Path) -> None:
    assert scanned("export", "count", "--to", "all", "-o", "out")[0] == ExitCode.OK
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "tally.json",
        "figures-long.csv",
        "figures-wide.csv",
        "figures.xlsx",
        "votes.sav",
        "boxes.csv",
        "votes.csv",
    }
    assert scanned("export", "count", "--to", "votes", "-o", "x.csv")[0] == ExitCode.OK
    assert (tmp_path / "x.csv").is_file()
    assert scanned("export", "count", "--to", "tally")[0] == ExitCode.OK
    assert json.loads((tmp_path / "count" / "exports" / "tally.json").read_text("utf-8"))


def test_fronts_and_backs_can_come_apart(run: Run, tmp_path: Path) -> None:
    for path in sorted((tmp_path / "in").glob("00*.png")):
        side = "fronts" if path.stem.endswith("1") else "backs"
        (tmp_path / side).mkdir(exist_ok=True)
        path.rename(tmp_path / side / path.name)
    code, out, _err = run("scan", "count", "--fronts", "fronts", "--backs", "backs", "-j", "1")
    assert code == ExitCode.OK
    assert "3 │ clean" in out


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (("tally", "nowhere"), ExitCode.BAD_COUNT, "There is no count here."),
        (("scan", "count"), ExitCode.BAD_COUNT, "There is no count here."),
        (("scan", "count", "nothing.pdf"), ExitCode.BAD_ARGUMENTS, "nothing.pdf"),
        (("scan", "count", "--fronts", "in"), ExitCode.BAD_ARGUMENTS, "go together"),
        (("scan", "count", "in", "-f", "fremd"), ExitCode.BAD_FORM, "no form 'fremd'"),
        (("form", "show", "fremd"), ExitCode.BAD_FORM, "no form 'fremd'"),
        (("export", "count", "--to", "nonsense"), ExitCode.BAD_ARGUMENTS, "nonsense"),
        (("nonsense",), ExitCode.BAD_ARGUMENTS, "nonsense"),
    ],
)
def test_a_mistake_gets_one_clear_message_and_its_exit_code(
    run: Run, arguments: tuple[str, ...], code: ExitCode, words: str
) -> None:
    got, _out, err = run(*arguments)
    assert got == code
    assert words in err
    assert "Traceback" not in err


def test_a_finished_count_without_files_has_nothing_to_scan(scanned: Run) -> None:
    code, _out, err = scanned("scan", "count")
    assert code == ExitCode.BAD_ARGUMENTS
    assert "nothing to scan" in err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("0004", "c9", "o1"), "no contest c9"),
        (("0004", "c2", "o9"), "no option o9"),
        (("0004", "c2", "o1", "--blank"), "not both"),
        (("0005", "c1", "o1"), "is refused"),
        (("0099", "c1", "o1"), "no sheet 99"),
    ],
)
def test_a_decision_that_cannot_be_carried_out_changes_nothing(
    scanned: Run, arguments: tuple[str, ...], words: str
) -> None:
    before = scanned("tally", "count")[1]
    code, _out, err = scanned("decide", "count", *arguments, "--by", "Lan", "--why", "rõ")
    assert code in {ExitCode.BAD_ARGUMENTS, ExitCode.BAD_COUNT}
    assert words in err
    assert scanned("tally", "count")[1] == before


def test_ctrl_c_says_that_nothing_is_lost(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(workers, "read_one", interrupted)
    code, _out, err = run("scan", "count", "in", "-j", "1")
    assert code == ExitCode.INTERRUPTED
    assert "Nothing is lost" in err
    monkeypatch.undo()


def test_an_error_names_the_file_and_the_remedy(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def faulty(*_arguments: object) -> None:
        raise CountError("It is broken.", remedy="Mend it.", path=Path("there"))

    monkeypatch.setattr(intake, "scan", faulty)
    code, _out, err = run("scan", "count", "in")
    assert code == ExitCode.BAD_COUNT
    assert err.splitlines() == ["there: It is broken.", "Mend it."]


def test_the_language_can_be_chosen(scanned: Run) -> None:
    _code, out, _err = scanned("--lang", "vi", "list", "count", "--status", "in_doubt")
    assert "Không rõ ô này" in out
    set_language(None)
    _code, out, _err = scanned("list", "count", "--status", "in_doubt")
    assert "It is not clear" in out


def test_forms_can_be_listed_shown_and_checked(run: Run, tmp_path: Path) -> None:
    assert "khao-sat" in run("form", "list")[1]
    assert run("form", "show", "khao-sat", "-o", "pictures")[0] == ExitCode.OK
    assert (tmp_path / "pictures" / "khao-sat-page-2.png").is_file()
    assert "khao-sat" in run("form", "check")[1]


def test_a_form_can_be_imported_with_several_blanks(run: Run, tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        draw_page(tmp_path / name, 0, 1)
    rows = ["contest,option,page,x,y,w,h", "q,x,1,2,20,8,8", "q,y,2,2,20,8,8"]
    Path("targets.csv").write_text("\n".join(rows), "utf-8")
    code, out, err = run(
        "form", "import", "moi", "--blank", "a.png", "b.png", "--targets", "targets.csv",
        "--dpi", "30",
    )  # fmt: skip
    assert code == ExitCode.OK, err
    assert "moi: 2 pages, 2 targets." in out


def test_reasons_have_words() -> None:
    from scanner.publishing.screen import refusal_in_words

    assert refusal_in_words(Reason.UNKNOWN_FORM) == "The page is not of any registered form."
    assert refusal_in_words("refused_by_person") == "A person refused it."
