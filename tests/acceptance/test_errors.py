"""Every error class of the SDKs arises from the matching error of a provider, whichever format that one speaks."""

from collections.abc import Iterator

import anthropic
import openai
import pytest
from tests.services.stack import Stack, User

OPENAI_CLASSES: dict[int, type[openai.APIStatusError]] = {
    400: openai.BadRequestError,
    401: openai.AuthenticationError,
    402: openai.APIStatusError,
    403: openai.PermissionDeniedError,
    404: openai.NotFoundError,
    409: openai.ConflictError,
    413: openai.APIStatusError,
    422: openai.UnprocessableEntityError,
    429: openai.RateLimitError,
    500: openai.InternalServerError,
    503: openai.InternalServerError,
    529: openai.InternalServerError,
}
ANTHROPIC_CLASSES: dict[int, type[anthropic.APIStatusError]] = {
    400: anthropic.BadRequestError,
    401: anthropic.AuthenticationError,
    402: anthropic.PaymentRequiredError,
    403: anthropic.PermissionDeniedError,
    404: anthropic.NotFoundError,
    408: anthropic.RequestTimeoutError,
    409: anthropic.ConflictError,
    412: anthropic.PreconditionFailedError,
    413: anthropic.ContentTooLargeError,
    422: anthropic.UnprocessableEntityError,
    429: anthropic.RateLimitError,
    431: anthropic.RequestHeaderFieldsTooLargeError,
    499: anthropic.ClientClosedRequestError,
    500: anthropic.InternalServerError,
    501: anthropic.HTTPNotImplementedError,
    503: anthropic.ServiceUnavailableError,
    504: anthropic.GatewayTimeoutError,
    529: anthropic.OverloadedError,
}
PROVIDERS = ["openai", "anthropic"]


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("sdk-errors", openai="sk-test-openai-0001", anthropic="sk-ant-test-0001")


@pytest.fixture(scope="module")
def openai_client(user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=user.stack.url + "/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture(scope="module")
def anthropic_client(user: User) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=user.stack.url, api_key=user.key, max_retries=0) as client:
        yield client


def complete(client: openai.OpenAI, model: str, stream: bool) -> None:
    answer = client.chat.completions.create(
        model=model, messages=[{"role": "user", "content": "one two three four"}], stream=stream
    )
    if stream:
        list(answer)


def write(client: anthropic.Anthropic, model: str, stream: bool) -> None:
    answer = client.messages.create(
        model=model, max_tokens=50, messages=[{"role": "user", "content": "one two three four"}], stream=stream
    )
    if stream:
        list(answer)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", OPENAI_CLASSES)
def test_openai_error_classes(openai_client: openai.OpenAI, provider: str, status: int, stream: bool) -> None:
    with pytest.raises(openai.APIStatusError) as raised:
        complete(openai_client, f"{provider}/error-{status}", stream)
    assert type(raised.value) is OPENAI_CLASSES[status]
    assert raised.value.status_code == status
    assert raised.value.request_id
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["message"] in raised.value.message


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("status", ANTHROPIC_CLASSES)
def test_anthropic_error_classes(
    anthropic_client: anthropic.Anthropic, provider: str, status: int, stream: bool
) -> None:
    with pytest.raises(anthropic.APIStatusError) as raised:
        write(anthropic_client, f"{provider}/error-{status}", stream)
    assert type(raised.value) is ANTHROPIC_CLASSES[status]
    assert raised.value.status_code == status
    assert raised.value.request_id
    assert isinstance(raised.value.body, dict)
    assert raised.value.body["request_id"] == raised.value.request_id


@pytest.mark.parametrize(
    ("mood", "openai_class", "anthropic_class"),
    [
        ("invalid", openai.AuthenticationError, anthropic.AuthenticationError),
        ("limited", openai.RateLimitError, anthropic.RateLimitError),
        ("revoked", openai.PermissionDeniedError, anthropic.PermissionDeniedError),
    ],
)
@pytest.mark.parametrize("provider", PROVIDERS)
def test_bad_provider_keys(
    stack: Stack,
    user: User,
    mood: str,
    provider: str,
    openai_class: type[openai.APIStatusError],
    anthropic_class: type[anthropic.APIStatusError],
) -> None:
    label = f"{mood} at {provider}"
    key = user.add_key(provider, f"sk-{mood}-0001", label=label)
    headers = {"x-ownkey-credential": label}
    try:
        with openai.OpenAI(
            base_url=stack.url + "/v1", api_key=user.key, max_retries=0, default_headers=headers
        ) as client:
            with pytest.raises(openai_class) as raised:
                complete(client, f"{provider}/echo", stream=False)
            assert (mood == "limited") == ("retry-after" in raised.value.response.headers)
        with (
            anthropic.Anthropic(base_url=stack.url, api_key=user.key, max_retries=0, default_headers=headers) as client,
            pytest.raises(anthropic_class),
        ):
            write(client, f"{provider}/echo", stream=True)
    finally:
        user.api.delete(f"/credentials/{key['id']}")


def test_the_sdks_wait_as_told_and_come_through(stack: Stack) -> None:
    """`flaky-2` fails every second call; the SDK's own retry succeeds."""
    user = stack.user("retrying", openai="sk-test-openai-0002")
    with openai.OpenAI(base_url=stack.url + "/v1", api_key=user.key, max_retries=2) as client:
        for _ in range(2):
            complete(client, "openai/flaky-2", stream=False)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["cut", "garbage"])
def test_a_spoilt_answer_raises(
    openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, provider: str, fault: str
) -> None:
    with pytest.raises(openai.InternalServerError):
        complete(openai_client, f"{provider}/{fault}", stream=False)
    with pytest.raises(anthropic.InternalServerError):
        write(anthropic_client, f"{provider}/{fault}", stream=False)


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["cut", "garbage", "stream-error"])
def test_a_spoilt_stream_raises(
    openai_client: openai.OpenAI, anthropic_client: anthropic.Anthropic, provider: str, fault: str
) -> None:
    with pytest.raises(openai.APIError):
        complete(openai_client, f"{provider}/{fault}", stream=True)
    with pytest.raises(anthropic.APIError):
        write(anthropic_client, f"{provider}/{fault}", stream=True)


def test_our_own_refusals_have_their_classes_too(stack: Stack, user: User) -> None:
    with openai.OpenAI(base_url=stack.url + "/v1", api_key="ok_wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError) as raised:
            complete(client, "openai/echo", stream=False)
        assert raised.value.code == "invalid_api_key"
        assert raised.value.request_id
    with (
        anthropic.Anthropic(base_url=stack.url, api_key="ok_wrong", max_retries=0) as client,
        pytest.raises(anthropic.AuthenticationError) as refused,
    ):
        write(client, "openai/echo", stream=True)
    assert refused.value.request_id
    with openai.OpenAI(base_url=stack.url + "/v1", api_key=user.key) as client:
        with pytest.raises(openai.NotFoundError) as unknown:
            complete(client, "no-such-model", stream=True)
        assert unknown.value.code == "model_not_found"
        with pytest.raises(openai.InternalServerError) as keyless:
            complete(client, "mistral/mistral-large-latest", stream=True)
        assert keyless.value.code == "no_healthy_credential"


def test_a_cut_off_length_reaches_the_parsing_helper(openai_client: openai.OpenAI) -> None:
    with pytest.raises(openai.LengthFinishReasonError):
        openai_client.chat.completions.parse(
            model="openai/lorem-50", max_tokens=5, messages=[{"role": "user", "content": "go"}]
        )


def test_an_impatient_client_gets_its_time_out(stack: Stack, user: User) -> None:
    with (
        openai.OpenAI(base_url=stack.url + "/v1", api_key=user.key, max_retries=0, timeout=0.3) as client,
        pytest.raises(openai.APITimeoutError),
    ):
        complete(client, "anthropic/slow-60000", stream=False)
    with (
        anthropic.Anthropic(base_url=stack.url, api_key=user.key, max_retries=0, timeout=0.3) as impatient,
        pytest.raises(anthropic.APITimeoutError),
    ):
        write(impatient, "openai/slow-60000", stream=True)
