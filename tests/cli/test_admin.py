"""`ownkey admin …` and `ownkey doctor`, beside a running server and on a machine without one."""

import shutil
import stat
from pathlib import Path

import httpx2
from tests.cli.running import beside, is_told, ownkey
from tests.services.stack import Process, Stack, User

PASSWORD = "another fine password"


def create(stack: Stack, email: str, *more: str, stdin: str = PASSWORD + "\n"):
    return ownkey("admin", "create-user", "--email", email, *more, stdin=stdin, **beside(stack))


def test_a_user_made_beside_the_running_server_signs_in_at_once(stack: Stack) -> None:
    ran = create(stack, "Beside@Example.com", "--operator", "--json")
    assert ran.code == 0, ran.err
    assert ran.json["email"] == "beside@example.com"
    assert ran.json["role"] == "operator"
    assert PASSWORD not in ran.out
    with stack.session("beside@example.com", PASSWORD) as session:
        assert session.get("/me").json()["role"] == "operator"
        assert session.get("/admin/users").status_code == 200
    with stack.session() as operator:
        assert operator.delete(f"/admin/users/{ran.json['id']}").status_code == 204


def test_a_user_is_made_once_and_with_a_strong_password(stack: Stack, user: User) -> None:
    is_told(create(stack, user.email.upper()), 1, "already exists")
    is_told(create(stack, "weak@example.com", stdin="short\n"), 1, "10 to 1024")


def test_the_master_key_rotates_under_a_running_server(stack: Stack, user: User) -> None:
    user.add_key("openai", "sk-cli-rotation-0001-abcdefgh")
    assert user.chat("openai/echo").status_code == 200
    before = (stack.data_dir / "master.key").read_text()
    ran = ownkey("admin", "rotate-master-key", "--json", **beside(stack))
    assert ran.code == 0, ran.err
    assert ran.json["rewrapped"] >= 2
    assert ran.json["primary"] not in before
    assert stat.S_IMODE((stack.data_dir / "master.key").stat().st_mode) == 0o600
    key_text = before.splitlines()[2].split()[-1]
    assert key_text not in ran.out + ran.err
    assert user.chat("openai/echo").status_code == 200
    user.add_key("openai", "sk-cli-rotation-0002-abcdefgh")
    told = ownkey("admin", "rotate-master-key", **beside(stack))
    assert told.out.startswith("Primary master key ")
    assert user.chat("openai/echo").status_code == 200


def test_a_backup_of_a_running_server_restores_elsewhere(
    stack: Stack, user: User, sandbox: Process, tmp_path: Path
) -> None:
    secret = "sk-cli-backup-0001-abcdefgh"
    user.add_key("anthropic", secret)
    target = tmp_path / "backup.db"
    ran = ownkey("admin", "backup", str(target), "--json", **beside(stack))
    assert ran.code == 0, ran.err
    assert ran.json == {"backup": str(target)}
    content = target.read_bytes()
    master_key = (stack.data_dir / "master.key").read_text().splitlines()[2].split()[-1]
    for absent in (secret, user.key, master_key):
        assert absent.encode() not in content
    is_told(ownkey("admin", "backup", str(target), **beside(stack)), 1, str(target))

    elsewhere = tmp_path / "elsewhere"
    restored = ownkey("admin", "restore", str(target), data_dir=str(elsewhere))
    assert restored.code == 0, restored.err
    again = ownkey("admin", "restore", str(target), data_dir=str(elsewhere))
    assert again.code == 1
    shutil.copy(stack.data_dir / "master.key", elsewhere / "master.key")
    second = Stack(elsewhere, sandbox)
    try:
        headers = {"authorization": f"Bearer {user.key}"}
        body = {"model": "anthropic/echo", "messages": [{"role": "user", "content": "back again"}]}
        answer = httpx2.post(
            second.url + "/v1/chat/completions", json=body, headers=headers, trust_env=False, verify=False
        )
        assert answer.json()["choices"][0]["message"]["content"] == "back again"
    finally:
        assert second.stop() == 0


def test_a_backup_cannot_go_where_nobody_may_write(stack: Stack) -> None:
    is_told(ownkey("admin", "backup", "/nowhere/at/all.db", **beside(stack)), 1, "/nowhere/at/all.db")
    is_told(ownkey("admin", "restore", "/nowhere.db", data_dir=str(stack.data_dir)), 1)


def test_a_missing_data_directory_is_told_and_not_made(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    is_told(ownkey("admin", "rotate-master-key", data_dir=str(absent)), 1, str(absent), "--data-dir")
    assert not absent.exists()


def test_the_doctor_finds_a_running_server_well(stack: Stack) -> None:
    ran = ownkey("doctor", "--json", **beside(stack))
    assert ran.code == 0, ran.out
    assert ran.json["success"] is True
    assert [step["name"] for step in ran.json["steps"]] == ["disk", "catalogue", "database", "master key"]
    assert "data keys" in ran.json["steps"][-1]["message"]


def test_the_doctor_looks_at_an_empty_machine_without_touching_it(tmp_path: Path) -> None:
    absent = tmp_path / "absent"
    ran = ownkey("doctor", data_dir=str(absent))
    assert ran.code == 0
    assert [line[:3] for line in ran.out.splitlines()] == ["ok "] * 4
    assert not absent.exists()


def test_the_doctor_tells_what_is_wrong(stack: Stack, tmp_path: Path) -> None:
    shutil.copy(stack.data_dir / "master.key", tmp_path / "master.key")
    (tmp_path / "master.key").chmod(0o644)
    (tmp_path / "ownkey.db").write_bytes(b"no database at all" * 100)
    ran = ownkey("doctor", "--json", data_dir=str(tmp_path))
    assert ran.code == 1
    bad = {step["name"]: step["message"] for step in ran.json["steps"] if not step["ok"]}
    assert set(bad) == {"database", "master key"}
    assert "0644" in bad["master key"]
    assert "Traceback" not in ran.err
