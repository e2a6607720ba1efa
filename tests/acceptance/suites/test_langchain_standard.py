"""LangChain's own standard tests end through Ownkey as they end at the provider, whatever the provider.

Some of them fail against any scripted model. So only differences count: each class is run directly against the
sandbox's simulation of its own vendor, and through Ownkey against every kind of upstream.
"""

import re
from pathlib import Path

import pytest
from tests.services.clients import python_of, run
from tests.services.stack import Stack, User

pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]
SUITE = Path(__file__).parent / "langchain_standard.py"
KEYS = {"openai": "sk-test-openai-0006", "anthropic": "sk-ant-test-0006", "gemini": "AIza-test-0006"}
SUBJECTS = {
    "openai-chat": ("openai", "/openai/v1", "/v1"),
    "openai-responses": ("openai", "/openai/v1", "/v1"),
    "anthropic": ("anthropic", "/anthropic", ""),
    "google": ("gemini", "/gemini", ""),
}
"""Each class with its vendor, the address of the sandbox's simulation of it, and Ownkey's."""
_OUTCOME = re.compile(r"^(PASSED|FAILED|ERROR|XFAIL|XPASS) \S*::(\S+)", re.M)


@pytest.fixture(scope="module")
def user(stack: Stack) -> User:
    return stack.user("langchain-standard", **KEYS)


def outcomes(subject: str, url: str, key: str, model: str, home: Path) -> dict[str, str]:
    """The name of each test that ran → how it ended."""
    options = ["asyncio_mode=auto", "asyncio_default_fixture_loop_scope=function"]
    command = [python_of("langchain-tests"), "-m", "pytest", "-q", "-rA", "--tb=no", "--noconftest", "-c", "/dev/null"]
    command += ["--rootdir", home, "-p", "no:cacheprovider", *(part for it in options for part in ("-o", it)), SUITE]
    environment = {"SUBJECT": subject, "BASE_URL": url, "API_KEY": key, "MODEL": model}
    finished = run(command, environment, home, seconds=400)
    return {name: outcome for outcome, name in _OUTCOME.findall(finished.stdout)}


@pytest.mark.parametrize("model", ["tool", "json"])
@pytest.mark.parametrize("provider", KEYS)
@pytest.mark.parametrize("subject", SUBJECTS)
def test_the_standard_tests_end_as_they_do_at_the_vendor(
    subject: str, provider: str, model: str, user: User, tmp_path: Path
) -> None:
    vendor, direct, through = SUBJECTS[subject]
    url = user.stack.url + through
    there = outcomes(subject, user.stack.sandbox.url + direct, KEYS[vendor], model, tmp_path)
    here = outcomes(subject, url, user.key, f"{provider}/{model}", tmp_path)
    assert sum(outcome == "PASSED" for outcome in there.values()) >= 15, there
    assert here == there
