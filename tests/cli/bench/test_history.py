"""`ownkey bench --history`: how the same work went over time."""

import json

import pytest
from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell

from ownkey.cli.bench.records import sparkline


def result(shell: Shell, at: str, seconds: float) -> None:
    folder = shell.folder / "past"
    folder.mkdir(exist_ok=True)
    target = {"label": "openai:m", "provider": "openai", "model": "m", "base_url": "https://api.openai.com/v1"}
    work = {"name": "simple-1", "group": "simple", "answers": [{"target": 0, "repetition": 0, "seconds": seconds}]}
    bench = {"schema": "ownkey.bench/1", "kind": "matrix", "at": at, "seed": 1, "repeats": 1}
    path = folder / f"benchmark_results_{at.replace('-', '').replace(':', '')}.json"
    path.write_text(json.dumps(bench | {"targets": [target], "work": [work]}))


def test_the_trend_shows_times_and_the_last_change(shell: Shell) -> None:
    for day, seconds in (("02", 2.0), ("01", 1.0), ("03", 3.0)):
        result(shell, f"2026-01-{day}T00:00:00Z", seconds)
    ran = shell.run("bench", "--history", "past")
    assert ran.code == 0, ran
    line = ran.out.splitlines()[1]
    assert line.split() == ["openai:m", "simple", "3", "1.000", "s", "3.000", "s", "+50%", "▁▅█"]
    (trend,) = shell.run("bench", "--history", "past", "--json").json
    assert (trend["seconds"], trend["change"]) == ([1.0, 2.0, 3.0], 0.5)


def test_a_benchmark_joins_the_history_it_is_written_to(shell: Shell) -> None:
    given = ("bench", "--no-check", "-t", "openai:echo", "--complexity", "simple", "--history", "past")
    assert shell.run(*given).code == 0
    ran = shell.run(*given, "--json")
    assert len(list((shell.folder / "past").glob("benchmark_results_*.json"))) == 2
    assert [len(trend["seconds"]) for trend in ran.json["trends"]] == [2]


def test_a_file_that_is_no_result_is_named_and_passed_over(shell: Shell) -> None:
    result(shell, "2026-01-01T00:00:00Z", 1.0)
    (shell.folder / "past" / "benchmark_results_x.json").write_text("{")
    (shell.folder / "past" / "benchmark_results_y.json").write_text(
        '{"schema": "ownkey.bench/9", "kind": "m", "at": "", "seed": 1, "repeats": 1, "targets": []}'
    )
    ran = shell.run("bench", "--history", "past")
    assert ran.code == 0
    assert ran.err.count("Passed over past/benchmark_results_") == 2
    assert len(ran.out.splitlines()) == 2


def test_a_folder_that_is_not_there_is_told(shell: Shell) -> None:
    is_told(shell.run("bench", "--history", "nowhere"), 1, "no folder nowhere")


@pytest.mark.parametrize(
    ("values", "bars"), [([1.0, 1.0], "▄▄"), ([5.0], "▄"), ([0.0, 7.0], "▁█"), ([3.0, 1.0, 2.0], "█▁▅")]
)
def test_a_sparkline_reaches_from_the_least_to_the_greatest(values: list[float], bars: str) -> None:
    assert sparkline(values) == bars
