"""Access keys taken apart, and signatures that are botocore's byte for byte."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from ownkey.domain.catalogue import AuthScheme, Provider
from ownkey.domain.errors import InvalidRequest
from ownkey.domain.secret import Secret
from ownkey.providers.auth import auth_headers, signer_for
from ownkey.providers.aws import AccessKey, Signer, is_access_key, read_access_key

ID, SECRET = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"
SESSION = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="

_KEY_TEXT = st.text(
    st.characters(min_codepoint=0x21, max_codepoint=0x7E, exclude_characters=":"), min_size=16, max_size=64
)
_SEGMENT = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), min_size=1, max_size=12)
_WORD = st.text(st.sampled_from("abcdefghijklmnopqrstuvwxyz0123456789-"), min_size=1, max_size=12)
_NAME = st.from_regex(r"[a-z][a-z0-9-]{0,15}", fullmatch=True).filter(
    lambda name: (
        name not in {"host", "authorization", "date", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}
    )
)
_VALUE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), max_size=30)


def botocores(
    key: AccessKey, region: str, method: str, url: str, headers: list[tuple[str, str]], body: bytes, now: float
) -> dict[str, str]:
    """The headers that botocore adds."""
    request = AWSRequest(method=method, url=url, data=body)
    for name, value in headers:
        request.headers[name] = value
    # The steps of its add_auth, but for the clock.
    request.context["timestamp"] = datetime.fromtimestamp(now, UTC).strftime("%Y%m%dT%H%M%SZ")
    signer: Any = SigV4Auth(Credentials(key.id, key.secret, key.session), "bedrock", region)
    signer._modify_request_before_signing(request)
    text = signer.string_to_sign(request, signer.canonical_request(request))
    signer._inject_signature_to_request(request, signer.signature(text, request))
    given = {name for name, _ in headers}
    return {name.lower(): str(value) for name, value in request.headers.items() if name.lower() not in given}


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_every_signature_is_botocores(data: st.DataObject) -> None:
    key = AccessKey(
        data.draw(st.from_regex(r"AKIA[A-Z0-9]{16}", fullmatch=True)),
        data.draw(_KEY_TEXT),
        data.draw(st.none() | _KEY_TEXT),
    )
    host = data.draw(
        st.sampled_from(["bedrock-runtime.eu-west-1.amazonaws.com", "127.0.0.1:8089", "a.test:443", "a.test:80"])
    )
    scheme = data.draw(st.sampled_from(["https", "http"]))
    path = "".join("/" + quote(segment, safe="") for segment in data.draw(st.lists(_SEGMENT, max_size=4)))
    path = path.replace("/..", "/x").replace("/.", "/x")
    pairs = data.draw(st.lists(st.tuples(_WORD, _WORD | _SEGMENT.map(lambda text: quote(text, safe=""))), max_size=4))
    query = "&".join(f"{name}={value}" for name, value in pairs)
    url = f"{scheme}://{host}{path}" + (f"?{query}" if query else "")
    headers = data.draw(st.lists(st.tuples(_NAME, _VALUE), max_size=5, unique_by=lambda field: field[0]))
    method = data.draw(st.sampled_from(["GET", "POST"]))
    body = data.draw(st.binary(max_size=200))
    now = data.draw(st.integers(1_500_000_000, 2_500_000_000))
    region = data.draw(st.sampled_from(["eu-central-1", "us-gov-west-1"]))

    expected = botocores(key, region, method, url, headers, body, now)
    ours = Signer(key, region).sign(
        method.encode(), url, [(name.encode(), value.encode()) for name, value in headers], body, now
    )
    assert {name.decode(): value.decode() for name, value in ours} == expected


def test_a_signer_goes_on_into_the_next_day() -> None:
    signer, key = Signer(AccessKey(ID, SECRET), "eu-west-1"), AccessKey(ID, SECRET)
    for now in (1_700_000_000, 1_700_000_000 + 86_400, 1_700_000_000):
        ours = dict(signer.sign(b"GET", "https://a.test/x", [], b"", now))
        assert (
            ours[b"authorization"].decode()
            == botocores(key, "eu-west-1", "GET", "https://a.test/x", [], b"", now)["authorization"]
        )


@pytest.mark.parametrize("session", [None, SESSION])
def test_an_access_key_is_its_parts_joined_by_colons(session: str | None) -> None:
    secret = Secret(":".join(filter(None, (ID, SECRET, session))))
    assert is_access_key(secret)
    assert read_access_key(secret) == AccessKey(ID, SECRET, session)


@pytest.mark.parametrize(
    "text",
    [
        f"{ID}:",
        f"{ID}:short",
        f":{SECRET}",
        f"short:{SECRET}",
        f"{ID}:{SECRET}:",
        f"{ID}:{SECRET}:{SESSION}:more",
        f"{ID}:{SECRET} x",
    ],
)
def test_what_is_no_access_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        read_access_key(Secret(text))
    assert caught.value.param == "api_key"
    assert SECRET not in caught.value.public


def test_no_part_is_in_a_representation() -> None:
    assert SECRET not in repr(AccessKey(ID, SECRET, SESSION)) + str(AccessKey(ID, SECRET, SESSION))


BEDROCK = Provider(
    name="b", title="B", base_url=None, base_url_template="https://b.{region}.test", endpoints={}, auth=AuthScheme.AWS
)


def of(secret: str, config: dict[str, str], base_url: str = "https://b.eu-west-1.test") -> Any:
    return signer_for(BEDROCK, Secret(secret), config, base_url)


@pytest.mark.parametrize("key", ["ABSKQmVkcm9ja0FQSUtleS0x", "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3MuY29tLw=="])
def test_a_bedrock_api_key_travels_as_a_bearer(key: str) -> None:
    assert auth_headers(BEDROCK, Secret(key), {}) == [(b"authorization", b"Bearer " + key.encode())]
    assert of(key, {}) is None


def test_an_access_key_is_never_sent() -> None:
    assert auth_headers(BEDROCK, Secret(f"{ID}:{SECRET}"), {}) == []


def test_the_region_is_the_addresss_and_else_the_settings() -> None:
    sign = of(f"{ID}:{SECRET}", {"region": "us-east-1"})
    assert b"/eu-west-1/" in dict(sign.sign(b"GET", "https://b.eu-west-1.test/", [], b"", 0))[b"authorization"]
    sign = of(f"{ID}:{SECRET}", {"region": "us-east-1"}, "http://127.0.0.1:1")
    assert b"/us-east-1/" in dict(sign.sign(b"GET", "http://127.0.0.1:1/", [], b"", 0))[b"authorization"]
    with pytest.raises(InvalidRequest) as caught:
        of(f"{ID}:{SECRET}", {}, "http://127.0.0.1:1")
    assert caught.value.param == "config.region"
