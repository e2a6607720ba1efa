"""Forms are read strictly: what is accepted, another reader takes the same way; anything else is refused."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from ownkey.domain.errors import InvalidRequest
from ownkey.gateway.edge.forms import MAX_PARTS, MAX_TEXT, is_form, read_form

KIND = b"multipart/form-data; boundary=cut"


def part(name: str, value: bytes, more: str = "") -> bytes:
    return f'--cut\r\nContent-Disposition: form-data; name="{name}"{more}\r\n\r\n'.encode() + value + b"\r\n"


def headed(*lines: str) -> bytes:
    """A form of one part with these headers."""
    return b"--cut\r\n" + "\r\n".join(lines).encode() + b"\r\n\r\nbQ==\r\n--cut--"


FILE = part("file", b"\x00\xff\r\n\r\n--cu\r\n-", '; filename="a.wav"')
MODEL = part("model", b"openai/whisper-1")
END = b"--cut--\r\n"


def test_texts_are_read_and_files_are_left_alone() -> None:
    form = read_form(KIND, part("prompt", "né".encode()) + FILE + MODEL + part("x[]", b"1") + part("x[]", b"2") + END)
    assert form.fields == {"prompt": "né", "model": "openai/whisper-1", "x[]": ["1", "2"]}
    assert form.text_size == 3 + 16 + 2


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b'Content-Disposition: form-data; name="model"', KIND),
        (b"content-disposition: form-data; name=model", KIND),
        (b'Content-Type: text/plain; charset=utf-8\r\nContent-Disposition: form-data; name="model"', KIND),
        (b'Content-Disposition: form-data; name="model"\r\nContent-Length: 1', KIND),
        (b'Content-Disposition: form-data; name="model"\r\nContent-Transfer-Encoding: 8bit', KIND),
        (b'Content-Disposition:form-data;name="model"', b'Multipart/Form-Data; charset=utf-8; Boundary="cut"'),
    ],
    ids=["browsers", "dotnet", "typed", "okhttp", "apache", "terse"],
)
def test_the_spellings_of_clients_are_understood(head: bytes, kind: bytes) -> None:
    assert read_form(kind, b"--cut\r\n" + head + b"\r\n\r\nm\r\n--cut--").fields == {"model": "m"}


@pytest.mark.parametrize(
    "name", ['filename="a b.wav"', "filename*=UTF-8''a.wav", 'filename="a\\"b.wav"', 'filename="\u00e9.wav"']
)
def test_a_part_with_a_file_name_is_a_file(name: str) -> None:
    body = f'--cut\r\nContent-Disposition: form-data; name="file"; {name}\r\n\r\n'.encode() + b"\xff\r\n" + MODEL + END
    assert read_form(KIND, body).fields == {"model": "openai/whisper-1"}


def test_only_the_models_bytes_are_replaced() -> None:
    body = FILE + MODEL + part("prompt", b"openai/whisper-1") + END
    form = read_form(KIND, body)
    assert (
        form.with_model(body, "whisper-1")
        == FILE + part("model", b"whisper-1") + part("prompt", b"openai/whisper-1") + END
    )
    with pytest.raises(InvalidRequest, match="model is missing"):
        read_form(KIND, FILE + END).with_model(FILE + END, "x")


def _hostile() -> dict[str, tuple[bytes, bytes]]:
    whole = FILE + MODEL + END
    return {
        "no boundary": (b"multipart/form-data", whole),
        "an empty boundary": (b'multipart/form-data; boundary=""', whole),
        "two boundaries": (b"multipart/form-data; boundary=x; boundary=cut", whole),
        "a boundary too long": (b"multipart/form-data; boundary=" + b"c" * 71, whole),
        "another boundary": (b"multipart/form-data; boundary=other", whole),
        "another kind of form": (b"multipart/form-datax; boundary=cut", whole),
        "nothing": (KIND, b""),
        "no parts": (KIND, END),
        "a preamble": (KIND, b"hello\r\n" + whole),
        "an epilogue": (KIND, whole + b"more"),
        "cut off in a file": (KIND, FILE[:-4]),
        "cut off before the end": (KIND, FILE + MODEL),
        "cut off in a head": (KIND, FILE + MODEL[:40]),
        "a second model": (KIND, MODEL + FILE + MODEL + END),
        "a second stream": (KIND, part("stream", b"true") + part("stream", b"false") + END),
        "a model in a file": (KIND, part("model", b"m", '; filename="m"') + END),
        "a list of models": (KIND, part("model[]", b"m") + END),
        "a model in capitals": (KIND, MODEL + part("Model", b"n") + END),
        "a model with a blank": (KIND, MODEL + part(" model", b"n") + END),
        "a boundary behind a line feed": (KIND, part("a", b"x\n--cut\nb") + MODEL + END),
        "a longer boundary line": (KIND, part("a", b"x\r\n--cutter") + MODEL + END),
        "a boundary with blanks behind": (KIND, part("a", b"x\r\n--cut \r\n") + MODEL + END),
        "line feeds alone": (KIND, (MODEL + END).replace(b"\r\n", b"\n")),
        "a folded header": (KIND, b'--cut\r\nContent-Disposition: form-data;\r\n name="model"\r\n\r\nm\r\n--cut--'),
        "a header injected": (KIND, part('a"\r\nX-Evil: "b', b"m") + END),
        "a bare carriage return in a header": (KIND, part("a\rb", b"m") + END),
        "a null in a header": (KIND, part("a\0b", b"m") + END),
        "a backslash in a name": (KIND, part('mod\\"el', b"m") + END),
        "a repeated name": (KIND, part("a", b"m", '; name="model"') + END),
        "an extended name": (KIND, part("a", b"m", "; name*=utf-8''model") + END),
        "a repeated header": (
            KIND,
            headed('Content-Disposition: form-data; name="a"', 'Content-Disposition: form-data; name="model"'),
        ),
        "no name": (KIND, b"--cut\r\nContent-Disposition: form-data\r\n\r\nm\r\n--cut--"),
        "an empty name": (KIND, part("", b"m") + END),
        "no disposition": (KIND, b"--cut\r\nContent-Type: text/plain\r\n\r\nm\r\n--cut--"),
        "an attachment": (KIND, b'--cut\r\nContent-Disposition: attachment; name="model"\r\n\r\nm\r\n--cut--'),
        "no head at all": (KIND, b"--cut\r\n\r\nm\r\n--cut--"),
        "an encoded part": (
            KIND,
            headed('Content-Disposition: form-data; name="model"', "Content-Transfer-Encoding: base64"),
        ),
        "a text that is not UTF-8": (KIND, part("model", b"\xff") + END),
        "a name that is not UTF-8": (KIND, MODEL.replace(b"model", b"mod\xff") + END),
        "a giant text": (KIND, part("prompt", b"x" * (MAX_TEXT + 1)) + END),
        "a giant head": (KIND, part("a" * 9000, b"x") + END),
        "a long name": (KIND, part("a" * 200, b"x") + END),
        "too many parts": (KIND, part("a", b"x") * (MAX_PARTS + 1) + END),
    }


HOSTILE = _hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_a_malformed_form_is_refused(name: str) -> None:
    kind, body = HOSTILE[name]
    with pytest.raises(InvalidRequest) as refused:
        read_form(kind, body)
    assert refused.value.public.endswith(".")


def test_the_offending_field_is_named() -> None:
    for name in ("a second model", "a list of models", "a model in a file"):
        with pytest.raises(InvalidRequest) as refused:
            read_form(*HOSTILE[name])
        assert refused.value.param == "model"


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        (b"multipart/form-data; boundary=x", True),
        (b"Multipart/Form-Data", True),
        (b"application/json", False),
        (None, False),
    ],
)
def test_forms_are_told_by_their_content_type(kind: bytes | None, form: bool) -> None:
    assert is_form(kind) is form


_PIECES = st.sampled_from(
    [
        *(
            b"\r\n",
            b"\n",
            b"\r",
            b"--cut",
            b"--cut--",
            b"--cut\r\n",
            b"\r\n--cut\r\n",
            b"\r\n\r\n",
            b'"',
            b"\\",
            b";",
            b"=",
        ),
        *(b'name="model"', b"name=model", b'filename="x"', b"name*=utf-8''model", b"Content-Disposition: form-data; "),
        *(b" ", b"\t", b"\0", b"x", b":", MODEL, FILE, END),
    ]
)


@given(st.lists(st.tuples(st.integers(0, 400), st.integers(0, 12), _PIECES), max_size=4))
@settings(max_examples=1500, deadline=None)
def test_what_is_accepted_another_reader_takes_the_same_way(edits: list[tuple[int, int, bytes]]) -> None:
    body = part("prompt", b"hello") + FILE + MODEL + END
    for at, removed, inserted in edits:
        body = body[:at] + inserted + body[at + removed :]
    try:
        form = read_form(KIND, body)
    except InvalidRequest:
        return
    texts, models = _by_another_reader(body)
    assert {name: value if len(value) > 1 else value[0] for name, value in texts.items()} == form.fields
    assert models == ([form.fields["model"]] if "model" in form.fields else [])
    if form.model is not None:
        start, end = form.model
        assert body[start:end].decode() == form.fields["model"]


def _by_another_reader(body: bytes) -> tuple[dict[str, list[str]], list[str]]:
    """(texts by name, every value under the name `model`), as python-multipart reads them."""
    texts: dict[str, list[str]] = {}
    models: list[str] = []
    state: dict[str, Any] = {}

    def begin() -> None:
        state.update(field=b"", value=b"", headers={}, data=b"")

    def add(name: str) -> Any:
        def callback(data: bytes, start: int, end: int) -> None:
            state[name] += data[start:end]

        return callback

    def header_end() -> None:
        state["headers"][state["field"].lower()] = state["value"]
        state.update(field=b"", value=b"")

    def finish() -> None:
        disposition = state["headers"].get(b"content-disposition", b"")
        _, options = parse_options_header(disposition)
        name = options.get(b"name", b"").decode()
        if name == "model":
            models.append(state["data"].decode())
        # Forms must not use `filename*`; old clients do, and this reader looks past it.
        if b"filename" not in options and b"filename*" not in disposition.lower():
            texts.setdefault(name, []).append(state["data"].decode())

    parser = MultipartParser(
        b"cut",
        {
            "on_part_begin": begin,
            "on_header_field": add("field"),
            "on_header_value": add("value"),
            "on_header_end": header_end,
            "on_part_data": add("data"),
            "on_part_end": finish,
        },
    )
    try:
        parser.write(body)
        parser.finalize()
    except FormParserError as error:
        raise AssertionError(f"another reader refuses {body!r}") from error
    return texts, models
