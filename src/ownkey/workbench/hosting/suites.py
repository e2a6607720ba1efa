"""Suites of a session: the curated ones and the uploaded."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence

import msgspec

from ownkey.domain.errors import InvalidRequest, NotFound
from ownkey.domain.ids import new_id
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import StoredSuite, WorkbenchSession
from ownkey.workbench.engine import PromptSource
from ownkey.workbench.hosting.limits import Limits
from ownkey.workbench.records import Prompt, SuiteInfo
from ownkey.workbench.suites import CuratedSuites
from ownkey.workbench.suites.imports import ImportedSuite

PAGE = 50
"""Prompts that are read at once."""
_PAGES_KEPT = 8
_ABSENT = "There is no suite with this id: GET /api/v1/workbench/suites lists them."


class SuiteStore:
    """Finds suites and their prompts; uploaded prompts are read a page at a time."""

    def __init__(self, database: Database, curated: CuratedSuites) -> None:
        self._database = database
        self._curated = curated
        self._reading = asyncio.Semaphore(1)

    @property
    def curated(self) -> tuple[SuiteInfo, ...]:
        return self._curated.curated_suites()

    async def uploaded(self, session_id: str | None, user_id: str | None) -> list[SuiteInfo]:
        """The uploaded suites of a session and of a user."""
        async with self._database.read() as conn:
            return [_info(row) for row in await rows.suites.visible(conn, session_id, user_id)]

    async def add(
        self, session: WorkbenchSession | None, user_id: str | None, suite: ImportedSuite, limits: Limits
    ) -> SuiteInfo:
        """Store an uploaded suite: a user's where there is an account, else the session's. Raises InvalidRequest when
        there are as many as there may be."""
        bodies = [msgspec.json.encode(prompt) for prompt in suite.prompts]
        owner = None if user_id is not None or session is None else session.id
        row = StoredSuite(
            id=new_id("wsu"),
            session_id=owner,
            user_id=user_id,
            name=suite.name,
            description=suite.description,
            prompts=len(bodies),
            size=sum(map(len, bodies)),
            created_at=time.time(),
        )
        async with self._database.write() as conn:
            await rows.suites.lock(conn, owner, user_id)
            if len(await rows.suites.visible(conn, owner, user_id)) >= limits.suites:
                raise InvalidRequest(f"There is room for {limits.suites} suites: delete one first.")
            await rows.suites.create(conn, row, bodies)
        return _info(row)

    async def get(self, suite_id: str, session_id: str | None, user_id: str | None) -> SuiteInfo:
        """One suite. Raises NotFound for an absent and for a foreign one alike."""
        for info in self.curated:
            if info.id == suite_id:
                return info
        async with self._database.read() as conn:
            row = await rows.suites.get(conn, suite_id, session_id, user_id)
        if row is None:
            raise NotFound(_ABSENT, param="suite_id")
        return _info(row)

    async def delete(self, suite_id: str, session_id: str | None, user_id: str | None) -> None:
        """Delete an uploaded suite. Raises NotFound."""
        async with self._database.write() as conn:
            if not await rows.suites.delete(conn, suite_id, session_id, user_id):
                raise NotFound(_ABSENT)
        if self._database.engine == "sqlite":
            # There it costs little. On Postgres it rewrites tables of keys, of which this had none.
            await self._database.scrub()

    def source(self, suite: SuiteInfo) -> PromptSource:
        """The suite's prompts, from the first on. Whether the asker may see it was decided by `get`."""
        if suite.curated:
            return lambda: _each(self._curated.curated_prompts(suite.id))
        return lambda: self._stored(suite)

    async def read(self, parse: Callable[[], ImportedSuite]) -> ImportedSuite:
        """Read an uploaded file. One at a time and off the event loop: a large one takes seconds and memory."""
        async with self._reading:
            return await asyncio.to_thread(parse)

    async def first(self, suite: SuiteInfo, count: int) -> list[Prompt]:
        """The first prompts of a suite."""
        found: list[Prompt] = []
        async for prompt in self.source(suite)():
            if len(found) == count:
                break
            found.append(prompt)
        return found

    def pages(self, suite: SuiteInfo) -> "PromptPages":
        """The suite's prompts by position, for whoever looks at results."""
        return PromptPages(self, suite)

    async def page(self, suite: SuiteInfo, start: int) -> Sequence[Prompt]:
        """The prompts from position `start` on, a page of them; fewer or none where the suite ends or was deleted."""
        if suite.curated:
            return self._curated.curated_prompts(suite.id)[start : start + PAGE]
        async with self._database.read() as conn:
            bodies = await rows.suites.page(conn, suite.id, start, PAGE)
        return [msgspec.json.decode(body, type=Prompt) for body in bodies]

    async def _stored(self, suite: SuiteInfo) -> AsyncIterator[Prompt]:
        start = 0
        while page := await self.page(suite, start):
            for prompt in page:
                yield prompt
            start += len(page)


class PromptPages:
    """Prompts by position, with a few pages in memory: results come nearly in the order of their prompts."""

    def __init__(self, store: SuiteStore, suite: SuiteInfo) -> None:
        self._store = store
        self._suite = suite
        self._pages: dict[int, Sequence[Prompt]] = {}

    async def get(self, position: int) -> Prompt | None:
        """The prompt; None when the suite was deleted since."""
        number, place = divmod(position, PAGE)
        page = self._pages.get(number)
        if page is None:
            page = await self._store.page(self._suite, number * PAGE)
            if len(self._pages) >= _PAGES_KEPT:
                del self._pages[next(iter(self._pages))]
            self._pages[number] = page
        return page[place] if place < len(page) else None


async def _each(prompts: tuple[Prompt, ...]) -> AsyncIterator[Prompt]:
    for prompt in prompts:
        yield prompt


def _info(row: StoredSuite) -> SuiteInfo:
    return SuiteInfo(id=row.id, name=row.name, description=row.description, prompts=row.prompts)
