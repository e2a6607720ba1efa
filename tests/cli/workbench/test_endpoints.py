"""What is wrong with an endpoint, a key or a suite is told before anything is asked."""

import pytest
from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, ownkey_of
from tests.services.stack import User

RUN = ("workbench", "run", "--preset", "openai", "--model", "echo")


def test_an_unreachable_endpoint_is_told_with_advice(shell: Shell) -> None:
    ran = shell.run(
        "workbench", "run", "--endpoint", "http://127.0.0.1:9/v1", "--model", "m", "--suite", shell.echoes(1)
    )
    assert ran.code == 1
    assert "Check that the server runs" in ran.err
    assert shell.runs() == []


def test_a_wrong_key_is_told_and_not_shown(shell: Shell) -> None:
    key = "sk-invalid-abcdefghijkl0001"
    ran = shell.run(*RUN, "--suite", shell.echoes(1), OPENAI_API_KEY=key)
    assert ran.code == 1
    assert "does not accept the key (401)" in ran.err
    assert key not in ran.out + ran.err


def test_a_key_that_is_not_there_is_told_by_the_name_of_its_variable(shell: Shell) -> None:
    is_told(shell.run(*RUN, "--suite", shell.echoes(1), OPENAI_API_KEY=""), 1, "set the variable OPENAI_API_KEY")
    is_told(shell.run(*RUN, "--suite", shell.echoes(1), "--api-key-env", "NOT_SET"), 1, "set the variable NOT_SET")


def test_a_key_is_sent_unasked_only_to_where_it_belongs(shell: Shell) -> None:
    elsewhere = shell.sandbox.replace("127.0.0.1", "localhost") + "/openai/v1"
    ran = shell.run("workbench", "check", "--endpoint", elsewhere, "--model", "echo")
    assert ran.code == 1
    assert "No key was sent" in ran.out
    assert shell.run("workbench", "check", "--endpoint", shell.endpoint, "--model", "echo").code == 0
    named = shell.run("workbench", "check", "--endpoint", elsewhere, "--model", "echo", "--api-key-env", "THE_KEY")
    assert named.code == 0


def test_the_check_tells_what_an_endpoint_can_do(shell: Shell) -> None:
    ran = shell.run("workbench", "check", "--preset", "openai", "--model", "new-limits", "--json")
    assert ran.code == 0
    assert ran.json["abilities"]["token_limit"] == "max_completion_tokens"
    told = shell.run("workbench", "check", "--preset", "openai", "--model", "no-stream")
    assert "streaming: Answers come in one piece" in told.out


def test_an_address_without_its_version_is_found(shell: Shell, user: User) -> None:
    user.add_key("openai", "sk-address-without-version-01")
    where = ("--endpoint", user.stack.url, "--api-key-env", "OWNKEY_API_KEY", "--model", "openai/echo")
    ran = shell.run("workbench", "run", *where, "--suite", shell.echoes(1), **ownkey_of(user))
    assert ran.code == 0, ran
    assert "which is used" in ran.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--suite", "nothing-like-it"], "no curated suite; there are: code-easy"),
        ([], "--suite ID"),
        (["--suite", "qa-easy", "--rate", "5"], "--arrival"),
        (["--suite", "qa-easy", "--arrival", "constant"], "--rate"),
        (["--suite", "qa-easy", "--objective", "speed=1"], "ttft=200,e2e=2000"),
        (["--suite", "qa-easy", "--prices", "1"], "IN,OUT"),
        (["--suite", "qa-easy", "--max-cost", "much"], "no amount in USD"),
        (["--suite", "qa-easy", "--max-cost", "1"], "--max-cost needs prices"),
        (["--suite", "qa-easy", "--output", "out.doc"], ".json"),
        (["--suite", "qa-easy", "--output", "no/such/out.json"], "no folder"),
        (["--suite", "qa-easy", "--endpoint", "http://x/v1"], "not both"),
        (["--suite", "x.csv", "--mapping", "prompt"], "FIELD=COLUMN"),
        (["--suite", "qa-easy", "--mapping", "prompt=a"], "go with a file"),
        (["--suite", "qa-easy", "--resume", "x"], "leave out --preset, --model, --suite"),
    ],
)
def test_wrong_usage_ends_with_2(shell: Shell, arguments: list[str], told: str) -> None:
    is_told(shell.run(*RUN, *arguments), 2, told)
    assert shell.runs() == []


def test_a_preset_that_is_none_is_told_with_those_there_are(shell: Shell) -> None:
    ran = shell.run("workbench", "run", "--preset", "nobody", "--model", "m", "--suite", "qa-easy")
    is_told(ran, 2, "no preset 'nobody'", "groq", "ownkey")
    is_told(shell.run("workbench", "run", "--model", "m", "--suite", "qa-easy"), 2, "--endpoint URL", "OWNKEY_URL")


def test_each_fault_of_a_file_is_told_at_its_line(shell: Shell) -> None:
    (shell.folder / "bad.jsonl").write_text('{"prompt": "fine"}\n{"prompt": 1\n{"expected": "x"}\n')
    ran = shell.run(*RUN, "--suite", "bad.jsonl")
    assert ran.code == 2
    assert "bad.jsonl: Line 2: " in ran.err
    assert "bad.jsonl: Line 3: " in ran.err


def test_no_option_takes_a_key(shell: Shell) -> None:
    for option in ("--api-key", "--key"):
        assert shell.run(*RUN, "--suite", "qa-easy", option, "sk-x").code == 2
