"""The tokenizer loses nothing and counts the same way each time."""

from hypothesis import given
from hypothesis import strategies as st

from ownkey.sandbox import tokens


@given(st.text())
def test_the_pieces_joined_give_the_text_again(text: str):
    pieces = tokens.split(text)
    assert "".join(pieces) == text
    assert len(pieces) == tokens.count(text)
    assert all(pieces)


def test_words_and_punctuation_are_tokens():
    assert tokens.split("Hello, world!") == ["Hello", ",", " world", "!"]


def test_long_words_are_several_tokens():
    assert tokens.split("internationalisation") == ["internatio", "nalisation"]


def test_lorem_has_exactly_as_many_tokens_as_asked():
    for length in (0, 1, 7, 500):
        assert tokens.count("".join(tokens.lorem(length))) == length
