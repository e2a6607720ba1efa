"""Completions, images, audio and moderations as OpenAI's SDK sees them."""

import io
import struct
import wave
import zlib
from base64 import b64decode
from typing import Any

import pytest
from openai import APIError, AsyncOpenAI, AuthenticationError, BadRequestError, InternalServerError
from openai.types import Completion, ImagesResponse, ModerationCreateResponse
from openai.types.audio import Transcription, TranscriptionVerbose, Translation
from tests.sandbox.raw import call, form
from tests.sandbox.strict import strictly

from ownkey.sandbox import SandboxServer

PNG_BEGINS = b"\x89PNG\r\n\x1a\n"
SOUND = ("hello.wav", b"RIFF0123", "audio/wav")


async def test_a_completion_goes_on_with_the_prompt(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    got = await openai_client.completions.create(model="echo", prompt="Hello there", n=2)
    assert [choice.text for choice in got.choices] == ["Hello there", "Hello there"]
    body = {"model": "lorem-9", "prompt": "go", "max_tokens": 4}
    answer = await call(sandbox.url, "/openai/v1/completions", body)
    strict = strictly(Completion, answer.body)
    assert (strict.choices[0].finish_reason, strict.usage and strict.usage.completion_tokens) == ("length", 4)


async def test_completions_stream(openai_client: AsyncOpenAI):
    options: Any = {"include_usage": True}
    stream = await openai_client.completions.create(model="lorem-5", prompt="go", stream=True, stream_options=options)
    chunks = [chunk async for chunk in stream]
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 5
    assert chunks[-2].choices[0].finish_reason == "stop"


async def test_token_prompts_and_echo_are_answered(openai_client: AsyncOpenAI):
    assert (await openai_client.completions.create(model="echo", prompt=[1, 2])).choices[0].text == "1 2"
    assert (await openai_client.completions.create(model="echo", prompt="ab", echo=True)).choices[0].text == "abab"


def points(png: bytes) -> bytes:
    """The colour of the first point of an image, once its chunks are checked."""
    assert png.startswith(PNG_BEGINS)
    at, data = 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        assert struct.unpack(">I", png[at + 8 + length : at + 12 + length])[0] == zlib.crc32(kind + content)
        data += content if kind == b"IDAT" else b""
        at += 12 + length
    rows = zlib.decompress(data)
    assert len(rows) == 8 * (1 + 3 * 8)
    return rows[1:4]


async def test_images_are_real_and_depend_on_the_prompt(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    one = await openai_client.images.generate(model="gpt-image-2", prompt="a cat", n=2)
    other = await openai_client.images.generate(model="gpt-image-2", prompt="a dog")
    assert one.data
    assert other.data
    colours = {points(b64decode(image.b64_json or "")) for image in [*one.data, *other.data]}
    assert len(colours) == 3
    strictly(
        ImagesResponse, (await call(sandbox.url, "/openai/v1/images/generations", {"model": "m", "prompt": "x"})).body
    )


async def test_an_image_by_address(openai_client: AsyncOpenAI):
    got = await openai_client.images.generate(model="dall-e-3", prompt="a cat", response_format="url")
    assert got.data
    assert (got.data[0].url or "").startswith("https://")


async def test_images_stream_with_partial_ones(openai_client: AsyncOpenAI):
    stream = await openai_client.images.generate(model="gpt-image-2", prompt="a cat", stream=True, partial_images=2)
    events: list[Any] = [event async for event in stream]
    assert [event.type for event in events] == [
        "image_generation.partial_image",
        "image_generation.partial_image",
        "image_generation.completed",
    ]
    assert points(b64decode(events[0].b64_json)) != points(b64decode(events[1].b64_json))
    assert events[-1].usage.total_tokens > 0


async def test_edits_and_variations_take_files(openai_client: AsyncOpenAI):
    image = ("cat.png", PNG_BEGINS, "image/png")
    edited = await openai_client.images.edit(model="gpt-image-2", prompt="bigger", image=[image, image])
    assert edited.usage is not None
    assert edited.usage.input_tokens_details.image_tokens == 170
    with pytest.deprecated_call():
        varied = await openai_client.images.create_variation(  # pyright: ignore[reportDeprecated]
            model="dall-e-2", image=image
        )
    assert varied.data


async def test_speech_is_sound(openai_client: AsyncOpenAI):
    spoken: Any = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hello there, you two"}
    async with openai_client.audio.speech.with_streaming_response.create(**spoken, response_format="wav") as answer:
        assert answer.headers["content-type"] == "audio/wav"
        data = b"".join([piece async for piece in answer.iter_bytes()])
    with wave.open(io.BytesIO(data)) as sound:
        assert (sound.getframerate(), sound.getnchannels(), sound.getnframes()) == (24_000, 1, 6_000)
    mp3 = await openai_client.audio.speech.create(**spoken)
    assert mp3.content.startswith(b"\xff\xf3")
    with pytest.raises(BadRequestError):
        await openai_client.audio.speech.create(**spoken, response_format="opus")


async def test_speech_as_events(sandbox: SandboxServer):
    body = {
        "model": "gpt-4o-mini-tts",
        "voice": "alloy",
        "input": "Hi",
        "stream_format": "sse",
        "response_format": "pcm",
    }
    answer = await call(sandbox.url, "/openai/v1/audio/speech", body)
    assert answer.headers["content-type"].startswith("text/event-stream")
    assert b'"speech.audio.delta"' in answer.body
    assert b'"speech.audio.done","usage":{"input_tokens":1' in answer.body
    refused = await call(sandbox.url, "/openai/v1/audio/speech", body | {"model": "tts-1"})
    assert refused.status == 400


async def test_a_transcript_tells_the_file(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    heard = "hello.wav has 8 bytes."
    plain = await openai_client.audio.transcriptions.create(model="gpt-transcribe", file=SOUND)
    assert plain.text == heard
    text: Any = await openai_client.audio.transcriptions.create(model="whisper-1", file=SOUND, response_format="text")
    assert text.strip() == heard
    srt: Any = await openai_client.audio.transcriptions.create(model="whisper-1", file=SOUND, response_format="srt")
    assert srt.startswith("1\n00:00:00,000 --> ")
    vtt: Any = await openai_client.audio.transcriptions.create(model="whisper-1", file=SOUND, response_format="vtt")
    assert vtt.startswith("WEBVTT\n")
    with pytest.deprecated_call():
        translated = await openai_client.audio.translations.create(  # pyright: ignore[reportDeprecated]
            model="whisper-1", file=SOUND
        )
    assert translated.text == heard


@pytest.mark.parametrize(
    ("path", "shape", "more"),
    [
        ("transcriptions", Transcription, {}),
        ("transcriptions", TranscriptionVerbose, {"response_format": b"verbose_json"}),
        ("translations", Translation, {}),
    ],
)
async def test_transcripts_hold_exactly_what_the_sdk_types_know(
    sandbox: SandboxServer, path: str, shape: Any, more: dict[str, bytes]
):
    kind, body = form({"model": b"whisper-1", "file": b"sound", **more})
    headers = {"content-type": kind.decode()}
    answer = await call(sandbox.url, f"/openai/v1/audio/{path}", body, headers=headers)
    assert answer.status == 200
    strictly(shape, answer.body, known_extras=frozenset({"task"}))


async def test_transcripts_stream_but_not_whispers(openai_client: AsyncOpenAI):
    stream = await openai_client.audio.transcriptions.create(model="gpt-transcribe", file=SOUND, stream=True)
    events: list[Any] = [event async for event in stream]
    assert "".join(event.delta for event in events[:-1]) == events[-1].text == "hello.wav has 8 bytes."
    assert events[-1].usage.input_tokens > 0


async def test_moderations(sandbox: SandboxServer, openai_client: AsyncOpenAI):
    got = await openai_client.moderations.create(input=["peace", "Attack!"])
    assert [(result.flagged, result.categories.violence) for result in got.results] == [(False, False), (True, True)]
    assert got.results[1].category_scores.violence > 0.5
    parts: Any = [{"type": "text", "text": "a"}, {"type": "image_url", "image_url": {"url": "https://x.invalid/a.png"}}]
    mixed = await openai_client.moderations.create(input=parts, model="omni-moderation-latest")
    assert mixed.results[0].category_applied_input_types.violence == ["text", "image"]
    strictly(ModerationCreateResponse, (await call(sandbox.url, "/openai/v1/moderations", {"input": "x"})).body)


async def test_failing_models_fail_everywhere(openai_client: AsyncOpenAI):
    voice: Any = {"voice": "alloy", "input": "x"}
    with pytest.raises(InternalServerError):
        await openai_client.completions.create(model="error-500", prompt="x")
    with pytest.raises(InternalServerError):
        await openai_client.images.generate(model="error-500", prompt="x")
    with pytest.raises(InternalServerError):
        await openai_client.audio.speech.create(model="error-500", **voice)
    with pytest.raises(InternalServerError):
        await openai_client.audio.transcriptions.create(model="error-500", file=SOUND)
    with pytest.raises(InternalServerError):
        await openai_client.moderations.create(model="error-500", input="x")
    stream = await openai_client.images.generate(model="stream-error", prompt="x", stream=True, partial_images=3)
    with pytest.raises(APIError):
        _ = [event async for event in stream]


async def test_bad_keys_are_refused_everywhere(sandbox: SandboxServer):
    async with AsyncOpenAI(base_url=f"{sandbox.url}/openai/v1", api_key="sk-invalid-0001", max_retries=0) as client:
        with pytest.raises(AuthenticationError):
            await client.images.generate(model="m", prompt="x")
        with pytest.raises(AuthenticationError):
            await client.audio.transcriptions.create(model="m", file=SOUND)
        with pytest.raises(AuthenticationError):
            await client.moderations.create(input="x")


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("completions", {"prompt": "x"}),
        ("completions", {"model": "m", "prompt": []}),
        ("images/generations", {"prompt": "x"}),
        ("images/generations", {"model": "m"}),
        ("images/generations", {"model": "m", "prompt": "x", "n": 11}),
        ("images/edits", {"model": "m", "prompt": "x"}),
        ("audio/speech", {"model": "m", "input": "x"}),
        ("audio/speech", {"model": "m", "voice": "alloy"}),
        ("audio/speech", {"model": "m", "voice": "alloy", "input": "x", "speed": 9}),
        ("audio/transcriptions", {"model": "m"}),
        ("moderations", {}),
        ("moderations", {"input": []}),
    ],
)
async def test_bad_requests_are_refused(sandbox: SandboxServer, path: str, body: object):
    assert (await call(sandbox.url, f"/openai/v1/{path}", body)).status in (400, 415)


@pytest.mark.parametrize(
    "body", [b"", b"--cut\r\n", b"--cut\r\n\r\nx\r\n--cut--", b"--cut\r\ncontent-disposition: x\r\n\r\nx\r\n--cut--"]
)
async def test_malformed_forms_are_refused(sandbox: SandboxServer, body: bytes):
    headers = {"content-type": "multipart/form-data; boundary=cut"}
    assert (await call(sandbox.url, "/openai/v1/audio/transcriptions", body, headers=headers)).status == 400
