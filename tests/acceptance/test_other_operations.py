"""Everything beside chat, by the vendors' unmodified SDKs: completions, images, audio, moderations, token counts."""

import io
import wave
from base64 import b64decode
from collections.abc import Iterator
from typing import Any

import anthropic
import openai
import pytest
from tests.services.stack import Stack, User

PNG = ("cat.png", b"\x89PNG\r\n\x1a\n", "image/png")
SOUND = ("hello.wav", b"RIFF0123", "audio/wav")
HEARD = "hello.wav has 8 bytes."


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("other-operations", openai="sk-test-other-0001", anthropic="sk-ant-test-0002")


@pytest.fixture
def client(user: User) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=user.stack.url + "/v1", api_key=user.key, max_retries=0) as client:
        yield client


@pytest.fixture
def claude(user: User) -> Iterator[anthropic.Anthropic]:
    with anthropic.Anthropic(base_url=user.stack.url, api_key=user.key, max_retries=0) as client:
        yield client


@pytest.mark.parametrize("model", ["openai/echo", "anthropic/echo"])
def test_completions_pass_and_are_read_as_chats(client: openai.OpenAI, model: str) -> None:
    got = client.completions.create(model=model, prompt="Hello there", max_tokens=50)
    assert got.object == "text_completion"
    assert (got.choices[0].text, got.choices[0].finish_reason) == ("Hello there", "stop")
    assert got.usage is not None
    assert got.usage.completion_tokens == 2


@pytest.mark.parametrize("model", ["openai/lorem-20", "anthropic/lorem-20"])
def test_completions_stream(client: openai.OpenAI, model: str) -> None:
    options: Any = {"include_usage": True}
    with client.completions.create(
        model=model, prompt="go", max_tokens=15, stream=True, stream_options=options
    ) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices).startswith("Lorem ipsum")
    assert [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices][-1] == "length"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 15
    plain = client.completions.create(model=model, prompt="go", max_tokens=15, stream=True)
    assert all(chunk.choices for chunk in plain)


def test_what_a_chat_cannot_say_is_refused_by_name(client: openai.OpenAI) -> None:
    for field, value in {"suffix": "end", "echo": True, "best_of": 2, "logprobs": 1, "prompt": ["a", "b"]}.items():
        asked: Any = {"model": "anthropic/echo", "prompt": "x", field: value}
        with pytest.raises(openai.BadRequestError) as refused:
            client.completions.create(**asked)
        assert refused.value.param == field
        assert client.completions.create(**asked | {"model": "openai/echo"}).choices


def test_images_are_made_edited_and_streamed(client: openai.OpenAI) -> None:
    made = client.images.generate(model="openai/gpt-image-2", prompt="a cat", n=2)
    assert made.data
    assert all(b64decode(image.b64_json or "").startswith(PNG[1]) for image in made.data)
    assert made.usage is not None
    edited = client.images.edit(model="openai/gpt-image-2", prompt="bigger", image=[PNG, PNG], mask=PNG)
    assert edited.usage is not None
    assert edited.usage.input_tokens_details.image_tokens == 170
    with client.images.generate(model="openai/gpt-image-2", prompt="a cat", stream=True, partial_images=2) as stream:
        assert [event.type for event in stream] == [
            "image_generation.partial_image",
            "image_generation.partial_image",
            "image_generation.completed",
        ]
    with client.images.edit(model="openai/gpt-image-2", prompt="x", image=PNG, stream=True) as stream:
        assert [event.type for event in stream] == ["image_edit.completed"]


def test_speech_streams_through(client: openai.OpenAI) -> None:
    asked: Any = {"model": "openai/gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there, you two"}
    with client.audio.speech.with_streaming_response.create(**asked, response_format="wav") as answer:
        assert answer.headers["content-type"] == "audio/wav"
        assert answer.headers["x-ownkey-provider"] == "openai"
        data = b"".join(answer.iter_bytes())
    with wave.open(io.BytesIO(data)) as sound:
        assert sound.getnframes() == 6_000
    assert client.audio.speech.create(**asked).content.startswith(b"\xff\xf3")
    with client.audio.speech.with_streaming_response.create(**asked, stream_format="sse") as answer:
        lines = [line for line in answer.iter_lines() if line.startswith("data:")]
    assert '"speech.audio.done"' in lines[-1]


def test_speech_becomes_text_in_every_format(client: openai.OpenAI) -> None:
    create: Any = client.audio.transcriptions.create
    assert create(model="openai/gpt-transcribe", file=SOUND, language="en").text == HEARD
    assert create(model="openai/whisper-1", file=SOUND, response_format="text").strip() == HEARD
    assert HEARD in create(model="whisper-1", file=SOUND, response_format="srt")
    assert create(model="whisper-1", file=SOUND, response_format="vtt").startswith("WEBVTT")
    verbose = create(
        model="whisper-1", file=SOUND, response_format="verbose_json", timestamp_granularities=["word", "segment"]
    )
    assert verbose.segments[0].text == HEARD
    with create(model="openai/gpt-transcribe", file=SOUND, stream=True) as stream:
        events: list[Any] = list(stream)
    assert events[-1].type == "transcript.text.done"
    assert "".join(event.delta for event in events[:-1]) == HEARD
    with create(model="openai/whisper-1", file=SOUND, stream=True) as ignored:
        assert ignored.response.read().startswith(b'{"text":')


def test_speech_is_translated(client: openai.OpenAI) -> None:
    with pytest.deprecated_call():
        got = client.audio.translations.create(  # pyright: ignore[reportDeprecated]
            model="openai/whisper-1", file=SOUND
        )
    assert got.text == HEARD


def test_moderations_need_no_model(client: openai.OpenAI) -> None:
    got = client.moderations.create(input=["peace", "attack"])
    assert got.model == "omni-moderation-latest"
    assert [result.flagged for result in got.results] == [False, True]
    assert client.moderations.create(input="x", model="openai/omni-moderation-2024-09-26").results


def test_errors_of_every_operation_are_the_sdks_own(client: openai.OpenAI) -> None:
    speech: Any = {"input": "x", "voice": "alloy"}
    calls: list[Any] = [
        lambda: client.completions.create(model="openai/error-429", prompt="x"),
        lambda: client.images.generate(model="openai/error-429", prompt="x"),
        lambda: client.images.edit(model="openai/error-429", prompt="x", image=PNG),
        lambda: client.audio.speech.create(model="openai/error-429", **speech),
        lambda: client.audio.transcriptions.create(model="openai/error-429", file=SOUND),
        lambda: client.moderations.create(model="openai/error-429", input="x"),
    ]
    for call in calls:
        with pytest.raises(openai.RateLimitError) as refused:
            call()
        assert refused.value.response.headers["x-ownkey-attempts"] == "1"


def test_what_no_key_serves_is_told_so(client: openai.OpenAI) -> None:
    with pytest.raises(openai.InternalServerError, match="no image endpoint"):
        client.images.generate(model="anthropic/claude-sonnet-4.5", prompt="x")


@pytest.mark.parametrize("model", ["anthropic/claude-sonnet-4.5", "openai/gpt-5"])
def test_tokens_are_counted_for_any_model(claude: anthropic.Anthropic, model: str) -> None:
    asked: Any = {
        "model": model,
        "system": "Be brief.",
        "messages": [{"role": "user", "content": "How many tokens is this?"}],
        "tools": [{"name": "look", "description": "Looks", "input_schema": {"type": "object", "properties": {}}}],
    }
    with_tools = claude.messages.count_tokens(**asked)
    assert with_tools.input_tokens > claude.messages.count_tokens(**asked | {"tools": []}).input_tokens > 0
    raw = claude.messages.with_raw_response.count_tokens(**asked)
    assert (raw.headers.get("x-ownkey-estimated") == "true") is model.startswith("openai/")
    receipt = raw.headers["x-ownkey-request-id"]
    assert raw.headers["request-id"]
    assert receipt.startswith("req_")


def test_counting_costs_nothing(user: User) -> None:
    for model in ("anthropic/claude-sonnet-4.5", "openai/gpt-5"):
        body = {"model": model, "messages": [{"role": "user", "content": "hello " * 500}]}
        receipt = user.receipt(user.gateway.post("/v1/messages/count_tokens", json=body))
        assert receipt["status"] == "completed"
        assert (receipt["input_tokens"], receipt["output_tokens"], float(receipt["list_cost_usd"])) == (0, 0, 0.0)


def test_each_operation_has_a_receipt(user: User, client: openai.OpenAI) -> None:
    made = client.images.with_raw_response.generate(model="openai/gpt-image-2", prompt="a cat")
    assert made.headers["x-ownkey-cost-usd"]
    receipt = user.receipt(made.http_response)
    assert (receipt["output_tokens"], receipt["usage_reported"]) == (272, True)
    spoken = client.audio.speech.with_raw_response.create(model="openai/tts-1", input="hi", voice="alloy")
    receipt = user.receipt(spoken.http_response)
    assert (receipt["status"], receipt["usage_reported"], receipt["provider"]) == ("completed", False, "openai")
    written = client.audio.transcriptions.with_raw_response.create(
        model="openai/whisper-1", file=("big.wav", bytes(400_000), "audio/wav")
    )
    receipt = user.receipt(written.http_response)
    assert receipt["usage_reported"] is False
    assert receipt["input_tokens"] < 100


def test_models_are_listed_in_pages_for_anthropics_sdk(claude: anthropic.Anthropic) -> None:
    every = [model.id for model in claude.models.list(limit=1000)]
    page = claude.models.list(limit=3)
    assert [model.id for model in page.data] == every[:3]
    assert page.has_more
    assert [model.id for model in page] == every
    back = claude.models.list(limit=2, before_id=every[3])
    assert [model.id for model in back.data] == every[1:3]
    assert claude.models.retrieve(every[0]).id == every[0]
