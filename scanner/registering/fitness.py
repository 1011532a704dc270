"""Is a form fit to be used, all things considered: its print, its codes, the forms beside it?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from scanner.errors import FormError
from scanner.forms.codes import CODE_MM, decode_code
from scanner.forms.findings import Finding, Severity
from scanner.forms.health import check_form
from scanner.forms.picture import load_blank
from scanner.forms.template import Form, Page
from scanner.messages import gettext as _
from scanner.reading.codes import find_code_box, read_page_code
from scanner.registering.likeness import check_likeness

_CODE_SLACK_MM = 0.4
"""The corners of a code are found to within a pixel or two."""


def check_forms(forms: Sequence[Form], among: Sequence[Form]) -> dict[str, list[Finding]]:
    """Everything found about forms, an entry for each.

    Args:
        forms: The forms to check.
        among: All forms of their folder, which they must not be taken for.
    """
    findings = {form.id: check_alone(form) for form in forms}
    readable = [form for form in among if _has_blanks(form)]
    if len(readable) > 1:
        alike = check_likeness(readable)
        for form_id, found in findings.items():
            found.extend(alike.get(form_id, []))
    return findings


def check_alone(form: Form) -> list[Finding]:
    """Everything found about a form without looking at others."""
    return [*check_form(form), *_check_codes(form)]


def check_beside(form: Form, among: Sequence[Form]) -> list[Finding]:
    """What is found by comparing a form with all forms of its folder; takes seconds."""
    readable = [one for one in among if _has_blanks(one)]
    return check_likeness(readable).get(form.id, []) if len(readable) > 1 else []


def _has_blanks(form: Form) -> bool:
    try:
        for page in form.pages:
            load_blank(form, page)
    except FormError:
        return False
    return True


def _check_codes(form: Form) -> Iterator[Finding]:
    for page in form.pages:
        if page.code and _has_blanks(form):
            yield from _check_code(form, page, page.code)


def _check_code(form: Form, page: Page, wanted: str) -> Iterator[Finding]:
    gray = load_blank(form, page)
    box, code = find_code_box(gray), read_page_code(gray)
    if box is None or code is None:
        yield Finding(
            Severity.WARNING,
            _("The printed code of this page cannot be read on its blank."),
            _("Print it larger and black on white, with white around it, and register again."),
            page.number,
            15,
        )
        return
    if (code.form, code.page) != _named_by(wanted, (form.id, page.number)):
        yield Finding(
            Severity.FAULT,
            _("The printed code says page {page} of form {form}.").format(
                page=code.page, form=code.form
            ),
            _("Register the form under that id, or print it anew with its own code."),
            page.number,
            50,
        )
    # The corners are the middles of pixels.
    height, width = gray.shape
    side_mm = min(
        (box.w + 1) / width * page.width_mm,
        (box.h + 1) / height * page.height_mm,
    )
    if side_mm < CODE_MM - _CODE_SLACK_MM:
        yield Finding(
            Severity.WARNING,
            _("The printed code is only {side:.1f} mm wide.").format(side=side_mm),
            _("Print it at 10 mm or more: smaller ones are lost on office scanners."),
            page.number,
            10,
        )


def _named_by(text: str, default: tuple[str, int]) -> tuple[str, int]:
    """Form and page that the registered text of a code names."""
    code = decode_code(text)
    return (code.form, code.page) if code is not None else default
