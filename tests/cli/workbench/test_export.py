"""`ownkey workbench export` from a run's file, an exported JSON and a server."""

import json
import xml.etree.ElementTree as ET

from tests.cli.running import is_told
from tests.cli.workbench.shell import Shell, ownkey_of
from tests.services.stack import User

EXPORT = ("workbench", "export")


def a_run(shell: Shell) -> str:
    ran = shell.run("workbench", "run", "--preset", "openai", "--model", "echo", "--suite", shell.echoes(3), "--json")
    return ran.json["id"]


def test_a_run_is_exported_by_its_id_without_asking_again(shell: Shell) -> None:
    run = a_run(shell)
    ran = shell.run(*EXPORT, run, "--format", "junit")
    assert len(list(ET.fromstring(ran.out).iter("testcase"))) == 3
    assert shell.run(*EXPORT, run).out.lstrip().lower().startswith("<!doctype html>")
    assert len(shell.asked()) == 3


def test_an_exported_json_is_exported_again(shell: Shell) -> None:
    run = a_run(shell)
    assert shell.run(*EXPORT, run, "-o", "run.json").code == 0
    ran = shell.run(*EXPORT, "run.json", "-o", "again.json", "--json")
    assert ran.json == {"run": "run.json", "format": "json", "file": "again.json"}
    assert (shell.folder / "again.json").read_text() == (shell.folder / "run.json").read_text()
    assert json.loads((shell.folder / "run.json").read_text())["run"]["id"] == run


def test_a_run_of_a_server_is_fetched(shell: Shell, user: User) -> None:
    user.add_key("openai", "sk-export-from-server-01")
    made = user.api.post("/workbench/sessions", json={"model": "openai/echo"}).json()
    body = {"suite_id": "qa-easy", "limit": 2}
    run = user.api.post(f"/workbench/sessions/{made['id']}/runs", json=body).json()["id"]
    with user.api.stream("GET", f"/workbench/runs/{run}/events") as events:
        assert "event: done" in "".join(events.iter_text())
    ran = shell.run(*EXPORT, run, "--format", "json", **ownkey_of(user))
    assert ran.code == 0, ran
    assert ran.json["run"]["id"] == run
    stranger = shell.run(*EXPORT, run[:-1] + ("1" if run.endswith("0") else "0"), "-o", "x.json", **ownkey_of(user))
    is_told(stranger, 1, "no run with this id")
    assert not (shell.folder / "x.json").exists()


def test_what_cannot_be_exported_is_told(shell: Shell) -> None:
    is_told(shell.run(*EXPORT, "wrun_nothing"), 1, "no run 'wrun_nothing'")
    is_told(shell.run(*EXPORT, a_run(shell), "--format", "pdf"), 2, "choose from csv")
    (shell.folder / "other.json").write_text('{"a": 1}')
    is_told(shell.run(*EXPORT, "other.json"), 1, "not an exported run")
