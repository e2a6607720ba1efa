"""Work beside the requests: when it cannot go on, the server says so and ends, rather than serve what was revoked."""

import asyncio
import sqlite3
import time
from contextlib import closing

from tests.proof.servers import ForkedStack


async def test_a_server_without_its_change_feed_ends(forked: ForkedStack) -> None:
    user = forked.user("unfollowed", openai="sk-test-background")
    assert user.chat("openai/echo").status_code == 200
    with closing(sqlite3.connect(forked.data_dir / "ownkey.db")) as database, database:
        [(seq,)] = database.execute("UPDATE change_counter SET seq = seq + 1 RETURNING seq").fetchall()
        database.execute("INSERT INTO changes (seq, topic, at) VALUES (?, x'ff', ?)", (seq, time.time()))
    assert await asyncio.to_thread(forked.server.wait) == 1, forked.server.log
    assert "a background task ended: the server stops" in forked.server.log
    assert "change-follower" in forked.server.log
    # Whoever starts it again has a server that begins at the feed's present end.
    forked.start()
    assert forked.stop() == 0
