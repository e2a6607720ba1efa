import asyncio
import base64
import os
import stat
import sys
from pathlib import Path

import pytest
from tests.vault.test_envelope import VECTORS

from ownkey.vault import EnvironmentKeys, FileKeys, Keyring, MasterKeyError
from ownkey.vault.master_key import decode_master_key
from ownkey.vault.private_file import locked

KEY = base64.b64encode(bytes(range(32))).decode()
OLDER = base64.b64encode(bytes(range(50, 82))).decode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "master.key"


async def run_python(program: str, *arguments: object) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, *map(str, arguments), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await process.communicate()
    return process.returncode or 0, output.decode()


def refusal(path: Path) -> str:
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(MasterKeyError) as refused:
        FileKeys(path).read()
    assert (path.read_bytes() if path.is_file() else None) == before
    assert refused.value.__cause__ is None
    return str(refused.value)


@pytest.mark.parametrize("vector", VECTORS["master_key_ids"])
def test_a_key_is_known_by_an_id_derived_from_it(vector: dict[str, str]) -> None:
    text = base64.b64encode(bytes.fromhex(vector["key"])).decode()
    assert [key.id for key in EnvironmentKeys(text).read()] == [vector["id"]]


def test_environment_keys_are_recognised_in_any_order() -> None:
    assert set(Keyring(EnvironmentKeys(KEY, (OLDER,))).ids) == set(Keyring(EnvironmentKeys(OLDER, (KEY,))).ids)
    assert Keyring(EnvironmentKeys(KEY, (OLDER,))).primary == Keyring(EnvironmentKeys(KEY)).primary
    assert len(Keyring(EnvironmentKeys(KEY, (OLDER, KEY))).keys) == 2


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "0 bytes"),
        ("not base64 at all!", "not base64"),
        ("sé", "not base64"),
        (KEY[:-4], "30 bytes"),
        (base64.b64encode(bytes(33)).decode(), "33 bytes"),
        (base64.b64encode(bytes(32)).decode(), "not random"),
    ],
)
def test_a_useless_environment_key_is_refused_with_the_way_to_make_one(text: str, reason: str) -> None:
    for make in (lambda: EnvironmentKeys(text), lambda: EnvironmentKeys(KEY, (text,))):
        with pytest.raises(MasterKeyError, match=reason) as refused:
            make()
        assert "openssl rand -base64 32" in str(refused.value)
        assert not text or text not in str(refused.value)


def test_the_first_read_makes_a_private_file_and_the_next_finds_it(path: Path) -> None:
    made = FileKeys(path).read()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [key.id for key in FileKeys(path).read()] == [key.id for key in made]
    assert sorted(entry.name for entry in path.parent.iterdir()) == ["master.key", "master.key.lock"]


def test_two_installations_have_different_keys(tmp_path: Path) -> None:
    assert FileKeys(tmp_path / "one").read()[0].id != FileKeys(tmp_path / "two").read()[0].id


def test_a_permissive_umask_does_not_widen_the_file(path: Path) -> None:
    before = os.umask(0)
    try:
        FileKeys(path).read()
    finally:
        os.umask(before)
    assert {stat.S_IMODE(entry.stat().st_mode) for entry in path.parent.iterdir()} == {0o600}


async def test_processes_that_start_at_once_make_one_key(path: Path) -> None:
    program = """
import sys
from pathlib import Path
from ownkey.vault.sources import FileKeys
sys.stdout.write("ready\\n"); sys.stdout.flush(); sys.stdin.readline()
print(FileKeys(Path(sys.argv[1])).read()[0].id)
"""
    pipe = asyncio.subprocess.PIPE
    processes = [
        await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(path), stdin=pipe, stdout=pipe)
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout is not None
        assert await process.stdout.readline() == b"ready\n"
    outputs = await asyncio.gather(*(process.communicate(b"go\n") for process in processes))
    assert {output.decode().strip() for output, _ in outputs} == {FileKeys(path).read()[0].id}


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o666, 0o777])
def test_a_file_open_to_others_is_refused(path: Path, mode: int) -> None:
    FileKeys(path).read()
    path.chmod(mode)
    assert f"chmod 600 {path}" in refusal(path)


def test_a_file_only_its_owner_may_read_is_accepted(path: Path) -> None:
    made = FileKeys(path).read()
    path.chmod(0o400)
    assert FileKeys(path).read()[0].id == made[0].id


@pytest.mark.parametrize("exists", [True, False])
def test_a_symbolic_link_is_refused(path: Path, exists: bool) -> None:
    target = path.with_name("elsewhere")
    if exists:
        FileKeys(target).read()
    path.symlink_to(target)
    assert "symbolic link" in refusal(path)
    assert target.exists() == exists


def test_what_is_no_file_is_refused(path: Path, tmp_path: Path) -> None:
    os.mkfifo(path, 0o600)
    assert "not a file" in refusal(path)
    folder = tmp_path / "folder"
    folder.mkdir(mode=0o700)
    assert "not a file" in refusal(folder)


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    assert "missing" in refusal(tmp_path / "missing" / "master.key")


def test_a_file_cut_off_anywhere_is_refused_and_left_alone(path: Path) -> None:
    keys = FileKeys(path)
    keys.read()
    keys.add_primary()
    keys.retire(keys.read()[1].id, 1_700_000_000)
    content = path.read_bytes()
    for length in range(len(content) - 1):
        path.write_bytes(content[:length])
        refusal(path)
    path.write_bytes(content[:-1])
    assert len(FileKeys(path).read()) == 2


def test_every_changed_character_of_a_key_or_id_is_noticed(path: Path) -> None:
    FileKeys(path).read()
    lines = path.read_text().splitlines(keepends=True)
    start = len("".join(lines[:2]))
    content = path.read_bytes()
    for at in range(start, start + len(lines[2]) - 1):
        changed = b"B" if content[at : at + 1] == b"A" else b"A"
        path.write_bytes(content[:at] + changed + content[at + 1 :])
        message = refusal(path)
        assert lines[2].split()[2][:-2] not in message


def test_a_last_character_that_decodes_to_the_same_key_is_noticed() -> None:
    text = base64.b64encode(bytes(range(32))).decode()
    assert decode_master_key(text, "it").key == bytes(range(32))
    for other in "9+/":
        assert base64.b64decode(text[:-2] + other + "=") == bytes(range(32))
        with pytest.raises(MasterKeyError, match="last character"):
            decode_master_key(text[:-2] + other + "=", "it")


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("", "no key"),
        ("# only a remark\n", "no key"),
        ("format 2\nend\n", "newer Ownkey"),
        (f"{KEY}\n", "newer Ownkey"),
        ("format 1\nend\n", "exactly one primary"),
        ("format 1\nprimary {0} {1}\nprimary {2} {3}\nend\n", "exactly one primary"),
        ("format 1\nreading {0} {1}\nend\n", "exactly one primary"),
        ("format 1\nprimary {0} {1}\nreading {0} {1}\nend\n", "each key once"),
        ("format 1\nprimary {0} {1}\nretired {2} {3} soon\nend\n", "damaged"),
        ("format 1\nprimary {0} {3}\nend\n", "do not fit"),
        ("format 1\nprimary {0} {1}\nother {2} {3}\nend\n", "damaged"),
        ("x" * 70_000, "too long"),
    ],
)
def test_a_damaged_file_is_refused_and_left_alone(path: Path, content: str, reason: str) -> None:
    first, second = EnvironmentKeys(KEY, (OLDER,)).read()
    path.write_text(content.format(first.id, KEY, second.id, OLDER))
    path.chmod(0o600)
    message = refusal(path)
    assert reason in message
    assert KEY not in message
    assert OLDER not in message


def test_a_file_that_vanishes_is_not_replaced_by_a_new_key(path: Path) -> None:
    keyring = Keyring(FileKeys(path))
    ids = keyring.ids
    path.unlink()
    with pytest.raises(MasterKeyError, match=str(path)):
        keyring.reload()
    assert keyring.ids == ids
    assert not path.exists()


def test_a_draft_left_by_a_crash_is_overwritten(path: Path) -> None:
    keys = FileKeys(path)
    first = keys.read()[0]
    draft = path.with_name("master.key.new")
    draft.write_text("half a")
    draft.chmod(0o644)
    second = keys.add_primary()
    assert [key.id for key in keys.read()] == [second.id, first.id]
    assert not draft.exists()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_draft_that_is_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    keys = FileKeys(path)
    keys.read()
    victim = tmp_path / "victim"
    victim.write_text("untouched")
    path.with_name("master.key.new").symlink_to(victim)
    keys.add_primary()
    assert victim.read_text() == "untouched"
    assert not path.is_symlink()


async def test_a_full_disk_loses_nothing(path: Path) -> None:
    ids = [key.id for key in FileKeys(path).read()]
    program = """
import resource, sys
from pathlib import Path
from ownkey.vault import FileKeys, MasterKeyError
keys = FileKeys(Path(sys.argv[1]))
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    keys.add_primary()
except MasterKeyError as error:
    print(error)
    sys.exit(3)
"""
    for space in (0, 200):
        code, output = await run_python(program, path, space)
        assert code == 3
        assert "the keys are as they were" in output
        assert [key.id for key in FileKeys(path).read()] == ids
    assert not path.with_name("master.key.new").exists()


async def test_a_lock_is_free_once_its_holder_is_dead(path: Path) -> None:
    program = """
import os, sys
from pathlib import Path
from ownkey.vault.private_file import locked
with locked(Path(sys.argv[1]), 0):
    print("held", flush=True)
    sys.stdin.read()
"""
    pipe = asyncio.subprocess.PIPE
    holder = await asyncio.create_subprocess_exec(sys.executable, "-c", program, str(path), stdin=pipe, stdout=pipe)
    assert holder.stdout is not None
    assert await holder.stdout.readline() == b"held\n"
    with pytest.raises(MasterKeyError, match="another process"), locked(path, 0.05):
        pass
    holder.kill()
    await holder.communicate()
    with locked(path, 0):
        pass


def test_only_a_retired_key_can_be_forgotten_and_never_the_primary(path: Path) -> None:
    keys = FileKeys(path)
    first = keys.read()[0]
    second = keys.add_primary()
    for key_id in (first.id, second.id):
        with pytest.raises(MasterKeyError, match="not retired"):
            keys.forget(key_id)
    with pytest.raises(MasterKeyError, match="primary"):
        keys.retire(second.id, 1.0)
    keys.retire(first.id, 1000.0)
    keys.retire(first.id, 2000.0)
    assert [(key.id, key.retired_at) for key in keys.read()] == [(second.id, None), (first.id, 1000.0)]
    keys.forget(first.id)
    assert [key.id for key in keys.read()] == [second.id]


def test_a_running_keyring_finds_a_key_that_another_process_added(path: Path) -> None:
    running = Keyring(FileKeys(path))
    FileKeys(path).add_primary()
    other = Keyring(FileKeys(path))
    assert other.primary not in running.ids
    running.require({other.primary: 1})
    assert running.primary == other.primary


def test_keys_do_not_show_themselves(path: Path) -> None:
    key = FileKeys(path).read()[0]
    assert repr(key) == f"MasterKey({key.id})"
    assert key.key.hex() not in repr(key)
