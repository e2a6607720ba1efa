"""`ownkey bench --load`: calls begin by a schedule, and lateness counts."""

from tests.cli.workbench.shell import Shell

LOAD = ("bench", "--no-check", "--json", "--load")


def test_calls_are_made_as_often_as_the_rate_says(shell: Shell) -> None:
    ran = shell.run(*LOAD, "constant", "--rate", "40", "--duration", "0.5", "-t", "openai:slow-30")
    assert ran.code == 0, ran
    (target,) = ran.json["figures"][0]["targets"]
    assert target["requests"] == 20
    # The last is due after 475 ms, and each takes 30; the first may have been sent late.
    assert target["duration_ms"] + target["metrics"]["late_ms"]["max"] >= 480
    assert "constant" in ran.json["figures"][0]["load"].lower()


def test_waiting_for_a_free_call_is_part_of_the_latency(shell: Shell) -> None:
    ran = shell.run(
        *LOAD, "poisson", "--rate", "100", "--duration", "0.1", "--concurrency", "1", "-t", "openai:slow-50"
    )
    (target,) = ran.json["figures"][0]["targets"]
    metrics = target["metrics"]
    # One at a time: the tenth is sent after nine answers of 50 ms, whenever it was due.
    assert target["requests"] == 10
    assert metrics["late_ms"]["max"] > 100
    assert metrics["latency_ms"]["max"] >= metrics["late_ms"]["max"]


def test_each_model_is_loaded_alone(shell: Shell) -> None:
    ran = shell.run(*LOAD, "constant", "--rate", "50", "--duration", "0.1", "-t", "openai:echo", "-t", "openai:lorem-3")
    assert [figures["targets"][0]["label"] for figures in ran.json["figures"]] == ["openai:echo", "openai:lorem-3"]
    people = shell.run(
        "bench", "--no-check", "--load", "poisson", "--rate", "50", "--duration", "0.1", "-t", "openai:echo"
    )
    assert "sent late p99" in people.out
    assert "times count from the moment a request was due" in people.out
