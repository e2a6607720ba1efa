"""A run goes on after a crash or Ctrl-C without repeating what is done."""

import signal
from collections import Counter

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, results_in, to_result

RUN = ("workbench", "run", "--preset", "openai", "--no-check")


def slots(shell: Shell) -> Counter[str]:
    (path,) = shell.runs()
    return Counter(result["prompt_id"] for result in results_in(path))


def test_after_sigkill_only_what_is_missing_is_asked(shell: Shell) -> None:
    process = shell.start(*RUN, "--model", "slow-100", "--suite", shell.echoes(8), "--concurrency", "2")
    with process:
        to_result(process, 3)
        process.kill()
    (path,) = shell.runs()
    kept = {result["prompt_id"] for result in results_in(path)}
    assert 3 <= len(kept) < 8
    before = Counter(shell.asked())
    (shell.folder / "suite.jsonl").unlink()
    ran = shell.run("workbench", "run", "--resume", path.stem, "--json")
    assert ran.code == 0, ran
    assert slots(shell) == Counter({f"p{i}": 1 for i in range(8)})
    again = Counter(shell.asked()) - before
    assert {f"say word{name[1:]}" for name in kept}.isdisjoint(again)
    assert set(again.values()) == {1}
    assert ran.json["summary"]["targets"][0]["requests"] == 8


def test_ctrl_c_ends_in_order_and_tells_how_to_go_on(shell: Shell) -> None:
    process = shell.start(*RUN, "--model", "slow-100", "--suite", shell.echoes(6))
    with process:
        to_result(process, 2)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
    (path,) = shell.runs()
    assert process.returncode == 1
    assert out.startswith("model ")
    assert f"ownkey workbench run --resume {path.stem}" in err
    assert "Traceback" not in err
    ran = shell.run("workbench", "run", "--resume", path.stem)
    assert ran.code == 0, ran
    assert slots(shell) == Counter({f"p{i}": 1 for i in range(6)})


def test_a_line_that_was_cut_off_is_asked_again(shell: Shell) -> None:
    assert shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(3)).code == 0
    (path,) = shell.runs()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(lines[:-2]) + lines[-2][:40])
    ran = shell.run("workbench", "run", "--resume", str(path))
    assert ran.code == 0, ran
    assert slots(shell) == Counter({f"p{i}": 1 for i in range(3)})
    assert shell.asked().count("say word2") == 2


def test_a_run_goes_on_with_the_key_of_another_variable(shell: Shell) -> None:
    begun = shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(2), "--json", OPENAI_API_KEY="sk-invalid-000001")
    assert begun.code == 1
    again = ("workbench", "run", "--resume", begun.json["id"], "--retry-failed", "--api-key-env", "THE_KEY")
    assert shell.run(*again).code == 0
    is_told(shell.run(*RUN, "--model", "echo", "--suite", "qa-easy", "--retry-failed"), 2, "--resume")


def test_what_would_make_it_another_run_is_refused_by_name(shell: Shell) -> None:
    begun = shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(2), "--json")
    again = ("workbench", "run", "--resume", begun.json["id"])
    is_told(shell.run(*again, "--temperature", "0.7", "--repeats", "2"), 2, "leave out --repeats, --temperature")
    is_told(shell.run(*again, "-m", "parrot"), 2, "leave out --model")
    is_told(shell.run(*again, "--max-cost", "1"), 2, "the run was begun without")
    assert shell.run(*again, "--concurrency", "2", "--yes").code == 0


def test_a_run_that_its_limit_ended_goes_on_with_a_higher_one(shell: Shell) -> None:
    given = ("--prices", "0,1000", "--max-tokens", "10", "--max-cost", "0.014", "--yes", "--json")
    begun = shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(6), *given)
    assert (begun.code, begun.json["remaining"] > 0) == (1, True)
    again = ("workbench", "run", "--resume", begun.json["id"], "--json")
    assert shell.run(*again).json["remaining"] == begun.json["remaining"]
    ran = shell.run(*again, "--max-cost", "1")
    assert (ran.code, ran.json["remaining"]) == (0, 0)
    assert len(shell.asked()) == 6


def test_a_run_that_is_complete_asks_nothing_more(shell: Shell) -> None:
    shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(3))
    (path,) = shell.runs()
    assert shell.run("workbench", "run", "--resume", path.stem).code == 0
    assert len(shell.asked()) == 3


def test_failed_prompts_are_asked_again_on_demand(shell: Shell) -> None:
    begun = shell.run(*RUN, "--model", "flaky-2-400", "--suite", shell.echoes(4), "--json")
    assert begun.code == 1
    assert "--retry-failed" in begun.err
    failed = begun.json["summary"]["targets"][0]["failures"][0]["count"]
    left = shell.run("workbench", "run", "--resume", begun.json["id"], "--json").json
    assert left["summary"]["targets"][0]["failures"][0]["count"] == failed
    assert len(shell.asked()) == 4
    ran = shell.run("workbench", "run", "--resume", begun.json["id"], "--retry-failed", "--json")
    assert ran.json["summary"]["targets"][0]["success"]["count"] > 4 - failed
    assert len(shell.asked()) == 4 + failed


def test_only_one_process_at_a_time_carries_a_run_out(shell: Shell) -> None:
    process = shell.start(*RUN, "--model", "hang", "--suite", shell.echoes(2), "--run-dir", "mine")
    with process:
        while not (found := list((shell.folder / "mine").glob("*.jsonl"))):
            assert process.poll() is None
        is_told(shell.run("workbench", "run", "--resume", str(found[0])), 1, "is running in another process")
        process.kill()


def test_a_run_that_is_not_there_or_damaged_is_told(shell: Shell) -> None:
    is_told(shell.run("workbench", "run", "--resume", "wrun_x"), 1, "no run 'wrun_x'", "--run-dir")
    shell.run(*RUN, "--model", "echo", "--suite", shell.echoes(2))
    (path,) = shell.runs()
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(lines[0] + b"{nonsense\n" + b"".join(lines[1:]))
    is_told(shell.run("workbench", "run", "--resume", str(path)), 1, "damaged at line 2")
    (shell.folder / "foreign.jsonl").write_text('{"prompt": "x"}\n')
    is_told(shell.run("workbench", "run", "--resume", "foreign.jsonl"), 1, "foreign.jsonl")
    (shell.folder / "notes.txt").write_text("one line\nanother without an end")
    is_told(shell.run("workbench", "run", "--resume", "notes.txt"), 1, "notes.txt")
    assert (shell.folder / "notes.txt").read_text() == "one line\nanother without an end"
