"""`ownkey bench --overhead`: the same calls directly and through Ownkey."""

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, ownkey_of
from tests.services.stack import User

OVERHEAD = ("bench", "--overhead", "--no-check")


def test_the_added_time_has_an_interval(shell: Shell, user: User) -> None:
    user.add_key("openai", "sk-bench-overhead-000001")
    given = ("-t", "openai:lorem-5", "--repeats", "8")
    ran = shell.run(*OVERHEAD, *given, "--json", **ownkey_of(user))
    assert ran.code == 0, ran
    assert [target["label"] for target in ran.json["targets"]] == ["openai:lorem-5", "ownkey:openai/lorem-5"]
    (pair,) = ran.json["figures"][0]["comparisons"]
    added = {metric["metric"]: metric for metric in pair["metrics"]}["ttft_ms"]
    assert added["pairs"] == 24
    assert added["low"] <= added["difference"] <= added["high"]
    people = shell.run(*OVERHEAD, *given, **ownkey_of(user))
    assert people.out.splitlines()[0].split()[:4] == ["metric", "direct", "through", "Ownkey"]
    assert people.out.splitlines()[1].startswith("ttft_ms")


def test_another_name_at_ownkey_can_be_given(shell: Shell, user: User) -> None:
    user.add_key("mistral", "sk-bench-overhead-000002")
    given = (
        "--endpoint",
        f"{shell.sandbox}/mistral/v1",
        "--model",
        "echo",
        "--api-key-env",
        "THE_KEY",
        "--repeats",
        "1",
    )
    ran = shell.run(*OVERHEAD, *given, "--through", "mistral/echo", "--json", **ownkey_of(user))
    assert ran.code == 0, ran
    assert ran.json["targets"][1]["model"] == "mistral/echo"


def test_one_model_is_compared_and_not_ownkey_with_itself(shell: Shell, user: User) -> None:
    ours = ownkey_of(user)
    is_told(shell.run(*OVERHEAD, "-t", "openai:a", "-t", "openai:b", **ours), 2, "takes one model")
    is_told(shell.run(*OVERHEAD, "-t", "ownkey:openai/a", **ours), 2, "not Ownkey itself")
