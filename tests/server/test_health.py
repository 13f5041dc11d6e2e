"""What a monitor asks."""

import httpx

from .running import RunningServer


def test_health_readiness_and_metrics_need_no_session(server: RunningServer) -> None:
    with server.client(None) as client:
        assert client.get("/healthz").json()["status"] == "ok"
        ready = client.get("/readyz")
        assert (ready.status_code, ready.json()["status"], ready.json()["faults"]) == (200, "ready", {})
        metrics = client.get("/metrics").text
    assert "athanor_tags 5.0" in metrics
    assert "athanor_sample_latency_seconds_bucket" in metrics
    assert "athanor_ingest_seconds_count" in metrics


def test_a_new_visitor_is_led_to_sign_in(server: RunningServer) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True, trust_env=False) as client:
        page = client.get("/")
    assert (page.status_code, page.url.path) == (200, "/sign-in")


def test_a_disk_that_runs_out_is_a_warning_and_the_server_stays_ready(own_server: RunningServer) -> None:
    own_server.environment["ATHANOR_HISTORIAN__DISK_WARN_MB"] = "1000000000"
    own_server.start()
    with own_server.client(None) as client:
        ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["warnings"]) == (200, {"disk": "warn"})
