"""Documents of the tests as files, each made once, and what can be read in them."""

from __future__ import annotations

import io
import re
import unicodedata
from functools import cache

import docx
import pypdfium2 as pdfium
from docx.document import Document as DocxDocument
from docx.oxml.ns import qn

from scanner.publishing.documents.blocks import Document
from scanner.publishing.documents.compose import compose
from scanner.publishing.documents.docx_file import docx_bytes
from scanner.publishing.documents.facts import Kind
from scanner.publishing.documents.pdf_file import pdf_bytes
from tests.document_facts import AT, ward_facts


@cache
def composed(kind: Kind) -> Document:
    return compose(kind, ward_facts(language=kind.language))


@cache
def opened(document: Document) -> DocxDocument:
    return docx.Document(io.BytesIO(docx_bytes(document, AT)))


@cache
def printed(document: Document) -> bytes:
    return pdf_bytes(document)


def docx_texts(made: DocxDocument) -> list[str]:
    """Every paragraph of the body, those in tables too."""
    return ["".join(node.text or "" for node in paragraph.iter(qn("w:t")))
            for paragraph in made.element.body.iter(qn("w:p"))]  # fmt: skip


def pdf_text(data: bytes) -> str:
    document = pdfium.PdfDocument(data)
    text = " ".join(page.get_textpage().get_text_range() for page in document)
    document.close()
    return squeezed(text)


def squeezed(text: str) -> str:
    """A text without spaces, line ends and hyphens at line ends: lines break otherwise in each."""
    return re.sub(r"[\s\u00ad\ufffe]+", "", unicodedata.normalize("NFC", text))
