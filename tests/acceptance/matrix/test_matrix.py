"""Every client format × every provider format × every feature, over real sockets through a running Ownkey.

A format that a client comes to speak is a row in SPEAKERS, one that a provider comes to speak a row in
`providers.py`; the tests at the end see to it that none is forgotten, and that the ordinary run has some of each.
"""

import json
from collections.abc import Iterator
from itertools import product
from pathlib import Path

import httpx2
import pytest
from _pytest.mark import ParameterSet
from tests.acceptance.matrix.expected import expected
from tests.acceptance.matrix.features import FEATURES, Feature
from tests.acceptance.matrix.providers import PROVIDERS, Provider, write_rows
from tests.acceptance.matrix.questions import Json, Seen, Speaker
from tests.acceptance.matrix.speak_anthropic_messages import AnthropicMessages
from tests.acceptance.matrix.speak_gemini import Gemini
from tests.acceptance.matrix.speak_openai_chat import OpenAIChat
from tests.acceptance.matrix.speak_openai_responses import OpenAIResponses
from tests.acceptance.matrix.table import markdown
from tests.services.stack import Process, Stack, User

from ownkey.wire.registry import CHAT_FORMATS, PROVIDER_CHATS

_SPEAKERS: tuple[Speaker, ...] = (OpenAIChat(), OpenAIResponses(), AnthropicMessages(), Gemini())
SPEAKERS = {speaker.format: speaker for speaker in _SPEAKERS if speaker.format in CHAT_FORMATS}
DOCUMENT = Path(__file__).parents[3] / "docs" / "matrix.md"


@pytest.fixture(scope="module")
def user(sandbox: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[User]:
    rows = tmp_path_factory.mktemp("rows")
    write_rows(rows)
    running = Stack(tmp_path_factory.mktemp("matrix"), sandbox, OWNKEY_PROVIDER_DIRS=str(rows))
    made = running.user("matrix")
    for provider in PROVIDERS.values():
        made.add_key(provider.name, provider.key, **provider.more)
    yield made
    assert running.stop() == 0


def pairs() -> Iterator[ParameterSet]:
    """All of them. The ordinary run has plain text for each pair of formats and, by turns, every fourth feature: each
    feature meets each provider's format once, and each client's format at least once; the rest is long."""
    for (at, client), (to, provider), (number, feature) in product(
        enumerate(SPEAKERS), enumerate(PROVIDERS), enumerate(FEATURES)
    ):
        often = number == 0 or (at + to + number) % len(SPEAKERS) == 0
        marks = () if often else (pytest.mark.long,)
        yield pytest.param(client, provider, feature, id=f"{client}-{provider}-{feature.name}", marks=marks)


@pytest.mark.parametrize(("client", "provider", "feature"), list(pairs()))
def test_pair(user: User, client: str, provider: str, feature: Feature) -> None:
    outcome = expected(client, provider, feature.name)
    if outcome == "-":
        return
    speaker, target = SPEAKERS[client], PROVIDERS[provider]
    model = f"{target.name}/{feature.model}"
    body = speaker.body(feature.question, model, stream=False)
    if outcome is not None:
        refuses(user, speaker, model, body, outcome)
        return
    for stream in feature.streamed:
        asked = speaker.body(feature.question, model, stream)
        if feature.then is not None:
            asked = follow_up(user, speaker, target, feature, asked, body)
        feature.check(ask(user, speaker, model, asked, stream, feature.status), stream)


def follow_up(user: User, speaker: Speaker, target: Provider, feature: Feature, asked: Json, body: Json) -> Json:
    """The second request of a conversation whose first is `body`, sent here."""
    first = user.gateway.post(speaker.path(f"{target.name}/{feature.model}", stream=False), json=body)
    assert first.status_code == 200, first.text
    if feature.then == "results":
        return speaker.go_on(asked, first.json(), ["rain", "noon"], None)
    if target.signs:
        assert speaker.whole(first.json()).signed, "the signature was lost"
    return speaker.go_on(asked, first.json(), [], feature.question.prompt)


def ask(user: User, speaker: Speaker, model: str, body: Json, stream: bool, status: int) -> Seen:
    """Send one request and read the answer; an error answer becomes a Seen with its message."""
    answer = user.gateway.post(speaker.path(model, stream), json=body)
    assert answer.status_code == status, answer.text
    assert answer.headers["x-ownkey-request-id"]
    if status != 200:
        return Seen(error=speaker.error(answer.json()))
    if stream:
        assert answer.headers["content-type"].startswith("text/event-stream")
        return speaker.streamed(events_of(answer))
    return speaker.whole(answer.json())


def refuses(user: User, speaker: Speaker, model: str, body: Json, field: str) -> None:
    """A 400 in the client's format that names the field, before anything is sent."""
    answer = user.gateway.post(speaker.path(model, stream=False), json=body)
    assert answer.status_code == 400, answer.text
    # It begins with the whole name, of which a part would be another format's.
    assert speaker.error(answer.json()).startswith(f"{field} ")


def events_of(answer: httpx2.Response) -> list[Json]:
    data = [line.removeprefix("data:").strip() for line in answer.text.splitlines() if line.startswith("data:")]
    return [json.loads(line) for line in data if line != "[DONE]"]


def test_the_ordinary_run_has_each_pair_of_formats_and_each_feature_on_both_sides() -> None:
    names = [feature.name for feature in FEATURES]
    often = [tuple(str(param.id).split("-", 2)) for param in pairs() if not param.marks]
    assert {(client, provider) for client, provider, _ in often} == set(product(SPEAKERS, PROVIDERS))
    assert {(client, feature) for client, _, feature in often} == set(product(SPEAKERS, names))
    assert {(provider, feature) for _, provider, feature in often} == set(product(PROVIDERS, names))


def test_every_client_format_is_in_the_matrix() -> None:
    assert set(SPEAKERS) == set(CHAT_FORMATS)


def test_every_provider_format_is_in_the_matrix() -> None:
    assert set(PROVIDERS) == set(PROVIDER_CHATS)


def test_the_documents_table_is_this_one() -> None:
    assert DOCUMENT.read_text() == markdown(list(SPEAKERS), list(PROVIDERS)), "run scripts/matrix-table"
