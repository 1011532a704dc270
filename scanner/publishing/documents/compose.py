"""Which document is made of what, and in which kind of file it is written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from scanner.errors import BadArgumentsError
from scanner.forms.workshop import open_whole
from scanner.messages import gettext as _
from scanner.publishing.documents.blocks import Document
from scanner.publishing.documents.docx_file import docx_bytes
from scanner.publishing.documents.english import english
from scanner.publishing.documents.facts import Facts, Kind
from scanner.publishing.documents.minutes import election, minutes
from scanner.publishing.documents.notices import notice, posting
from scanner.publishing.documents.pdf_file import pdf_bytes
from scanner.publishing.documents.public_page import public_page
from scanner.publishing.documents.report import report
from scanner.publishing.documents.rollup import rollup

_COMPOSERS: dict[Kind, Callable[[Facts], Document]] = {
    Kind.MINUTES: minutes,
    Kind.REPORT: report,
    Kind.NOTICE: notice,
    Kind.POSTING: posting,
    Kind.ROLLUP: rollup,
    Kind.ELECTION: election,
    Kind.ENGLISH: english,
}
WEB_PAGE = ".html"
SUFFIXES = (".docx", ".pdf")


def compose(kind: Kind, facts: Facts) -> Document:
    """A document as blocks.

    Args:
        kind: Which; a public page is no such document.
        facts: What it is made of.
    """
    return _COMPOSERS[kind](facts)


def write_document(kind: Kind, facts: Facts, path: Path, at: datetime) -> None:
    """Write a document.

    Args:
        kind: Which.
        facts: What it is made of.
        path: The file; its ending says whether it is DOCX, PDF or a web page.
        at: When it is made, with a time zone.

    Raises:
        BadArgumentsError: There is no such document in a file of that ending.
        StorageError: It cannot be written there.
        MissingToolError: A font is missing.
    """
    check_suffix(kind, path)
    if kind is Kind.PAGE:
        content = public_page(facts).encode()
    else:
        document = compose(kind, facts)
        is_pdf = path.suffix.lower() == ".pdf"
        content = pdf_bytes(document) if is_pdf else docx_bytes(document, at)
    with open_whole(path) as file:
        file.write(content)


def check_suffix(kind: Kind, path: Path) -> None:
    """See that a document can be written into a file of that name.

    Raises:
        BadArgumentsError: It cannot.
    """
    suffix = path.suffix.lower()
    if kind is Kind.PAGE and suffix != WEB_PAGE:
        raise BadArgumentsError(_("The public page is a file that ends in .html."), path=path)
    if kind is not Kind.PAGE and suffix not in SUFFIXES:
        raise BadArgumentsError(_("A document ends in .docx or .pdf."), path=path)
