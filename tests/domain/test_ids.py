import re
import time

from ownkey.domain.ids import new_id


def test_an_id_names_its_kind():
    assert re.fullmatch(r"cred_[0-9a-z]{20,40}", new_id("cred"))


def test_ids_are_all_different():
    assert len({new_id("req") for _ in range(10_000)}) == 10_000


def test_ids_sort_by_the_millisecond_they_were_made_in():
    first = new_id("req")
    started = int(time.time() * 1000)
    while int(time.time() * 1000) <= started:
        pass
    assert first < new_id("req")
