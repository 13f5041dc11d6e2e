"""Every route of the API, called with what its OpenAPI document allows and with what it does not.

Nothing answers 500, and every answer is one that the document tells of. The calls are the same in every run.
"""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.core.result import Ok
from schemathesis.generation.modes import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from athanor.web.sessions import COOKIE

from .running import RunningServer

SEED = 20261121
LARGEST = 2**63 - 1  # that a column of either database can be compared with
UNTOLD = (b"Invalid HTTP request received.",)  # what uvicorn says of an address longer than it takes, before our code
# An answer that streams is not read as JSON; where the document names several forms, that is none of its schemas.
STREAMED = "/series", "/at", "/samples", "/data", "/waveforms/{waveform_id}", "/export"
ANY = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
OF_STREAMS = [not_a_server_error, status_code_conformance]


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """A server of its own: what is called here ends sessions, disables people and removes roles."""
    running = RunningServer(tmp_path_factory.mktemp("target"))
    running.prepare()
    running.start()
    yield running
    running.end()


def document(server: RunningServer, session: str) -> dict[str, Any]:
    answer = httpx.get(f"{server.url}/api/v1/openapi.json", cookies={COOKIE: session})
    answer.raise_for_status()
    return dict(answer.json())


@pytest.mark.parametrize(("login", "calls"), [("anna", 4), ("chen", 2)])  # an administrator, a viewer
def test_no_call_breaks_the_server_or_its_document(target: RunningServer, login: str, calls: int) -> None:
    session = target.sessions[login]
    schema = schemathesis.openapi.from_dict(document(target, session))
    http = requests.Session()
    http.cookies.set(COOKIE, session)
    faults: dict[str, str] = {}
    operations = [found.ok() for found in schema.get_all_operations() if isinstance(found, Ok)]
    for operation in operations:
        faults |= faults_of(operation, target.url, http, calls)
    assert len(operations) > 80
    assert faults == {}


def faults_of(operation: Any, url: str, http: requests.Session, calls: int) -> dict[str, str]:
    """What is wrong with the answers of one operation."""
    faults: dict[str, str] = {}
    kinds = [operation.as_strategy(generation_mode=mode) for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]
    checks = OF_STREAMS if operation.path.endswith(STREAMED) else ANY

    @seed(SEED)
    @settings(max_examples=calls, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
    @given(case=kinds[0] | kinds[1])
    def call(case: Any) -> None:
        answer = case.call(base_url=url, session=http, headers={"Origin": url}, timeout=20)
        if answer.status_code == 400 and answer.content in UNTOLD:
            return
        try:
            case.validate_response(answer, checks=checks)
        except FailureGroup as failures:
            faults[f"{operation.label} {answer.status_code}"] = str(failures)

    call()
    return faults


def test_numbers_in_addresses_have_bounds_that_databases_share(target: RunningServer) -> None:
    found = document(target, target.sessions["anna"])
    unbounded = [
        f"{path} {parameter['name']}"
        for path, operations in found["paths"].items()
        for operation in operations.values()
        for parameter in operation.get("parameters", [])
        for kind in parameter["schema"].get("anyOf", [parameter["schema"]])
        if kind.get("type") == "integer" and kind.get("maximum", LARGEST + 1) > LARGEST
    ]
    assert unbounded == []
