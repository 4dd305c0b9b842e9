"""How a studio answers what any client may ask: names in any case, methods, cookies of others."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from starlette.datastructures import Headers

from quanvolve.studio._guard import token_of
from tests.studio.conftest import Make


@pytest.mark.parametrize("host", ["LOCALHOST", "LocalHost:8642", "Lab.Example.ORG", "lab.example.org:80", "[::1]"])
def test_names_are_the_same_in_any_case(make: Make, host: str) -> None:
    client = make(model=False, allowed_hosts=("lab.EXAMPLE.org",))
    assert client.get("/healthz", headers={"host": host}).status_code == 200


@pytest.mark.parametrize("host", ["[::1]evil.example", "[::1", "localhost:80:80", "localhost@evil.example", "a b"])
def test_names_that_are_none_are_refused(make: Make, host: str) -> None:
    assert make(model=False).get("/healthz", headers={"host": host}).status_code == 421


def test_two_names_are_refused(make: Make) -> None:
    headers = [("host", "localhost"), ("host", "evil.example")]
    assert make(model=False).get("/healthz", headers=headers).status_code == 421


def test_origins_are_the_same_in_any_case(make: Make) -> None:
    client = make(model=False, allowed_origins=("https://Lab.example.org",))
    for origin in ("https://lab.example.org", "HTTPS://LAB.example.org", "http://LOCALHOST"):
        answer = client.get("/api/v1/models", headers={"origin": origin, "host": "LocalHost"})
        assert answer.status_code == 200, origin
    assert answer.headers.get("access-control-allow-origin") is None


@pytest.mark.parametrize("length", ["-1", "+5", "\xb2", "1" * 5000, "0x10", "1 1", "16777217"])
def test_lengths_that_are_none_are_refused(make: Make, length: str) -> None:
    headers = {b"content-length": length.encode("latin-1")}
    answer = make(model=False).post("/api/v1/models/0123456789ab/predict", headers=headers)  # type: ignore[arg-type]
    assert (answer.status_code, answer.json()["type"]) == (413, "/docs#large")


@pytest.mark.parametrize("foreign", [
    "a[b]=c", "x y=z", 'a="b', "=", ";;", "a", "quanvolve_token", "quanvolve_token=", 'j={"a":[1,2]}', "\x7f=1",
    "expires=Thu, 01 Jan 1970", "my,cookie=1", "\xe9=\xe9", "Xquanvolve_token=no", "$Version=1",
])  # fmt: skip
def test_cookies_of_others_hide_nothing(foreign: str) -> None:
    for text in (
        f"{foreign}; quanvolve_token=ours",
        f"quanvolve_token=ours; {foreign}",
        f"{foreign};quanvolve_token=ours;",
    ):
        assert token_of(Headers({"cookie": text})) == "ours"
    assert token_of(Headers({"cookie": foreign})) is None
    several = Headers(raw=[(b"cookie", foreign.encode("latin-1")), (b"cookie", b"quanvolve_token=ours")])
    assert token_of(several) == "ours"


@given(st.lists(st.text(st.characters(codec="latin-1", exclude_characters=";\r\n\0"), max_size=20), max_size=6))
def test_any_cookies_hide_nothing(others: list[str]) -> None:
    others = [one for one in others if not one.strip().startswith("quanvolve_token")]
    for place in range(len(others) + 1):
        text = ";".join([*others[:place], " quanvolve_token=ours", *others[place:]])
        assert token_of(Headers(raw=[(b"cookie", text.encode("latin-1"))])) == "ours"


def test_a_method_that_a_path_has_not_is_told_those_it_has(make: Make) -> None:
    client: Any = make()
    paths: dict[str, set[str]] = {
        path: {method.upper() for method in calls} for path, calls in client.app.openapi()["paths"].items()
    }
    paths |= {"/": {"GET"}, "/docs": {"GET"}, "/login": {"GET", "POST"}, "/static/app.js": {"GET"}}
    for path, has in paths.items():
        real = path.format_map(defaultdict(lambda: "0123456789ab", name="digits", number=0))
        allow = ", ".join(sorted(has | {"OPTIONS"} | ({"HEAD"} if "GET" in has else set())))
        asked = client.options(real)
        assert (asked.status_code, asked.headers["allow"], asked.content) == (204, allow, b""), path
        for method in (
            {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "TRACE"} - has - ({"HEAD"} if "GET" in has else set())
        ):
            answer = client.request(method, real)
            assert (answer.status_code, answer.headers["allow"]) == (405, allow), (method, path)
            if method != "HEAD":
                assert answer.json()["detail"] == f"this path has {allow}, not {method}"
    for method in ("OPTIONS", "GET", "PUT"):
        assert client.request(method, "/nothing").status_code == 404


def test_head_is_get_without_its_body(make: Make) -> None:
    client = make()
    for path in ("/", "/docs", "/healthz", "/static/app.js", "/api/v1/models", f"/api/v1/models/{client.model}",
                 f"/api/v1/models/{client.model}/download", "/no", "/api/v1/jobs/0123456789ab/events"):  # fmt: skip
        get, head = client.get(path), client.head(path)
        assert (head.status_code, head.content) == (get.status_code, b""), path
        assert head.headers["content-type"] == get.headers["content-type"]


WORDS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["image", "images"]), inner),
    max_leaves=12,
)  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(value=WORDS, name=st.sampled_from(["predict", "feature-maps"]))
def test_any_json_is_answered(make: Make, any_client: Any, value: Any, name: str) -> None:
    import json

    for body in (value, {"images": value}, {"image": value}):
        answer = any_client.post(
            f"/api/v1/models/{any_client.model}/{name}", content=json.dumps(body),
            headers={"content-type": "application/json"},
        )  # fmt: skip
        assert answer.status_code in (409, 413, 422), (body, answer.text)


@pytest.fixture
def any_client(make: Make) -> Any:
    return make()
