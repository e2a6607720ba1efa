import re
from pathlib import Path

import pytest
from tests.vault.test_envelope import VECTORS

from ownkey.vault import envelope

DOCUMENT = (Path(__file__).parents[2] / "docs" / "vault-format.md").read_text("utf-8")
COMPACT = re.sub(r"\s+", "", DOCUMENT)


@pytest.mark.parametrize("number", [0, 3])
def test_the_document_shows_envelopes_that_the_code_makes(number: int) -> None:
    vector = VECTORS["sealed"][number]
    for value in (vector["key"], vector["key_id"], vector["nonce"], vector["plaintext"], vector["sealed"]):
        assert value in COMPACT
    for name, value in vector["place"].items():
        assert re.search(rf"^{name} +{re.escape(value)}$", DOCUMENT, re.MULTILINE)


def test_the_document_shows_the_other_known_answers() -> None:
    for vector in VECTORS["master_key_ids"]:
        assert f"{vector['key']}  {vector['id']}" in DOCUMENT
    assert VECTORS["fingerprints"][0]["fingerprint"] in DOCUMENT
    assert VECTORS["peppers"][0]["pepper"] in DOCUMENT


def test_the_document_lists_every_refusal() -> None:
    for vector in VECTORS["refused"]:
        assert f"| {vector['name']} | {vector['error'].removeprefix('the ciphertext ')} |" in DOCUMENT


def test_the_document_gives_the_sizes() -> None:
    sizes = {"version": 1, "key id": envelope.KEY_ID_SIZE, "nonce": envelope.NONCE_SIZE}
    sizes |= {"commitment": envelope.COMMITMENT_SIZE, "tag": envelope.TAG_SIZE}
    for name, size in sizes.items():
        assert re.search(rf"^{name} +{size} bytes?\b", DOCUMENT, re.MULTILINE)
    assert f"The first {envelope.HEADER_SIZE} bytes are the header" in DOCUMENT
    assert f"fewer than {envelope.HEADER_SIZE + envelope.TAG_SIZE} bytes" in DOCUMENT
