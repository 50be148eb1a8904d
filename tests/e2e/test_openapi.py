"""The public documents of a running gateway."""

from __future__ import annotations

import httpx

from tests.servers.system import System
from tests.unit.gateway_app import api_document


def test_the_running_gateway_serves_the_document_that_the_tests_are_made_from(system: System) -> None:
    """Without a key; the tests of tenants and of made-up requests cover what really runs."""
    response = httpx.get(f"{system.api_url}/api/v1/openapi.json")
    assert response.json() == api_document()
    assert "public" in response.headers["cache-control"]


def test_the_documentation_needs_no_key_and_no_other_address(system: System) -> None:
    """The page is whole by itself."""
    response = httpx.get(f"{system.api_url}/", follow_redirects=True)
    assert response.url.path == "/docs"
    assert response.headers["content-type"].startswith("text/html")
    assert "script" not in response.headers["content-security-policy"]


def test_health_is_public_and_metrics_are_not(system: System) -> None:
    """Figures are told on the private port alone."""
    assert httpx.get(f"{system.api_url}/healthz").json() == {"status": "ok"}
    assert httpx.get(f"{system.api_url}/metrics").status_code == 401
    private = f"http://127.0.0.1:{system.supervisor.addresses.health_ports['gateway']}"
    metrics = httpx.get(f"{private}/metrics").text
    assert 'mannequin_http_requests_total{method="GET",route="/healthz",status="200"}' in metrics
    ready = httpx.get(f"{private}/readyz").json()
    assert set(ready["checks"]) == {"database", "objects", "bus", "http"}
