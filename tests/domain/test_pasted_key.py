"""What people paste where a key is asked for."""

from contextlib import suppress

import pytest

from ownkey.domain.pasted_key import KEY_LIMIT, UnclearKey, pasted_key

KEY = "gsk_canary0123456789"


@pytest.mark.parametrize(
    "text",
    [
        KEY,
        f"  {KEY}\r\n",
        f"\n\n{KEY}\n",
        f"\u00a0{KEY}\u00a0",
        f"\ufeff{KEY}",
        f"\u200b{KEY}\u200b\u2060",
        f"\u3000{KEY}\u2028",
        f'"{KEY}"',
        f"'{KEY}'",
        f"`{KEY}`",
        f"“{KEY}”",
        f"‘{KEY}’",
        f"\" '{KEY}' \"",
        f"{KEY},",
        f'"{KEY}",\n',
        f"{KEY};",
        f"GROQ_API_KEY={KEY}",
        f"groq_key = '{KEY}'",
        f"export GROQ_API_KEY={KEY}",
        f'export GROQ_API_KEY="{KEY}";',
        f"set GROQ_API_KEY={KEY}",
        f"setx GROQ_API_KEY {KEY}",
        f"ENV GROQ_API_KEY {KEY}",
        f'$env:GROQ_API_KEY = "{KEY}"',
        f'const apiKey = "{KEY}";',
        f"GROQ_API_KEY={KEY}  # from the console",
        f"# the team's key\nGROQ_API_KEY={KEY}\n",
        f"Bearer {KEY}",
        f"bearer  {KEY}",
        f"Authorization: Bearer {KEY}",
        f"authorization:Bearer {KEY}",
        f'-H "Authorization: Bearer {KEY}"',
        f"--header 'x-api-key: {KEY}'",
        f"x-api-key: {KEY}",
        f"X-Api-Key:{KEY}",
        f"x-goog-api-key: {KEY}",
        f"api_key: {KEY}",
        f'api_key: "{KEY}"',
        f"API key: {KEY}",
        f'"api_key": "{KEY}",',
        f"'apiKey': '{KEY}'",
        f'{{"api_key": "{KEY}"}}',
        f'{{"provider": "groq", "auth": {{"token": "Bearer {KEY}"}}}}',
        f'{{\n  "api_key": "{KEY}",\n}}',
        f'["{KEY}"]',
        f"{KEY}\n{KEY}\n",
    ],
)
def test_the_one_key_in_the_text_is_found(text: str):
    assert pasted_key(text) == KEY


@pytest.mark.parametrize(
    "key",
    [
        "AKIAIOSFODNN7EXAMPLE:wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        "ABSKQmVkcm9ja0FQSUtleQ==",
        "QUJD=",
        "bedrock-api-key-YmVkcm9jaw==&Version=1",
        "eyJhbGciOiJSUzI1NiJ9.eyJhdWQiOiJhIn0.c2ln",
        "AQ.Ab8RN6-_x",
        "EMPTY",
        "k",
        "a'b",
        "user:password",
        "~!@#%^&()_+|",
    ],
)
def test_a_key_alone_stays_as_it_is(key: str):
    assert pasted_key(key) == key


def test_a_key_that_looks_like_an_assignment_can_be_sent_as_one():
    assert pasted_key("KEY=user=canary") == "user=canary"


@pytest.mark.parametrize("text", ["", " ", "\n\u200b\u00a0"])
def test_nothing_is_no_key(text: str):
    assert pasted_key(text) == ""


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (f"{KEY}\n{KEY}2", "2 lines"),
        (f"AWS_ACCESS_KEY_ID={KEY}\nAWS_SECRET_ACCESS_KEY={KEY}2", "2 lines"),
        (f"{KEY}\u2028{KEY}2", "2 lines"),
        (f"{KEY} {KEY}", "a space"),
        ("gsk_canary\u00a0x", "a space"),
        ("gsk_\u200bcanary", "Character 5 is invisible"),
        ("gsk_canary\U0001f600", "not ASCII"),
        ("schlüssel", "not ASCII"),
        ("gsk_\u0430canary", "not ASCII"),
        ("gsk_canary\x00", "a control character"),
        ("gsk_\x1bcanary", "a control character"),
        ("gsk_\tcanary", "a control character"),
        ("\ud800canary", "not ASCII"),
        (f'"{KEY}', "one end"),
        (f"{KEY}'", "one end"),
        ('""', "no key"),
        (",", "no key"),
        ("GROQ_API_KEY=", "equals sign"),
        ('GROQ_API_KEY=""', "no key"),
        ('{"a": "canary-1", "b": "canary-2"}', "several"),
        ('{"api_key": "canary-1", "secret": "canary-2"}', "several"),
        ("{}", "several"),
        ('{"api_key": canary', "JSON"),
        ("[" * 10_000, "JSON"),
        ("https://console.groq.com/keys", "address"),
        ("$GROQ_API_KEY", "stands for"),
        ("${GROQ_API_KEY}", "stands for"),
        ("%GROQ_API_KEY%", "stands for"),
        ("<your-key>", "stands for"),
        ("gsk_canary...9876", "masked"),
        ("gsk_****************9876", "masked"),
        ("gsk_canary…9876", "not ASCII"),
        ("k" * (KEY_LIMIT + 1), "at most"),
        (" " * 20_000 + KEY, "at most"),
        ("Bearer " * 20 + KEY, "a space"),
    ],
)
def test_what_is_not_plainly_one_key_is_rejected_in_words_that_do_not_quote_it(text: str, told: str):
    with pytest.raises(UnclearKey) as caught:
        pasted_key(text)
    assert told in str(caught.value)
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("unit", ["key", "a=", "key: ", "Bearer ", "'\"", "{", ", ", "\u200b", "export ", "\n"])
def test_a_long_text_is_read_or_rejected_without_trying_every_way_to_read_it(unit: str):
    """One that backtracks would not end."""
    with suppress(UnclearKey):
        pasted_key((unit * (2 * KEY_LIMIT))[: 2 * KEY_LIMIT])
