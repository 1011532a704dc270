"""Whatever the JSON endpoints are sent, they answer as they are described, never by a fault."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from fastapi import FastAPI
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from scanner.counting.store import Store
from scanner.review.app import create_app
from scanner.review.context import Desk
from scanner.review.security import Guard
from tests.review_client import ORIGIN, Browser, Office, open_office
from tests.reviewed_counts import copy_count

EXAMPLES = 12


def described_by(app: FastAPI) -> Any:
    """The description of an application's endpoints, which it serves itself."""
    schema: Any = schemathesis.openapi.from_dict(app.openapi())
    schema.app = app
    schema.config.update(base_url=ORIGIN)
    return schema


def operations_of(app: FastAPI) -> dict[str, Any]:
    """Each endpoint by its method and path."""
    found = (result.ok() for result in described_by(app).get_all_operations())
    return {operation.label: operation for operation in found}


# What the endpoints are does not depend on the count.
LABELS = sorted(operations_of(create_app(cast(Desk, None), Guard("127.0.0.1", 8420))))


@pytest.fixture(scope="module")
def office(staffed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    count = copy_count(staffed, tmp_path_factory.mktemp("schema") / "count")
    with open_office(count) as opened:
        yield opened


@pytest.fixture(scope="module")
def clerk(office: Office) -> Browser:
    return office.person()


@pytest.fixture(scope="module")
def operations(office: Office) -> dict[str, Any]:
    return operations_of(office.app)


@pytest.mark.parametrize("label", LABELS)
def test_an_endpoint_answers_as_it_is_described(
    operations: dict[str, Any], clerk: Browser, label: str
) -> None:
    cookie = f"{clerk.guard.cookie}={clerk.http.cookies[clerk.guard.cookie]}"
    headers = {"Origin": ORIGIN, "X-CSRF-Token": clerk.csrf, "Cookie": cookie}

    @given(case=operations[label].as_strategy())
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        # That there is no such sheet is known to the count, not to the description.
        case.call_and_validate(headers=headers, excluded_checks=[positive_data_acceptance])

    ask()


def test_there_are_endpoints_to_be_asked() -> None:
    assert {"GET /picture/raw/{page_id}", "POST /desk/decide"} <= set(LABELS)


def test_the_record_holds_after_all_that(office: Office) -> None:
    with Store(office.desk.folder) as store:
        assert store.verify() == []
