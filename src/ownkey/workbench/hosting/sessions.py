"""Workbench sessions: opened with or without an account, found by their secret, erased with a receipt."""

import hmac
import secrets
import time
from contextlib import suppress
from ipaddress import IPv6Address, ip_address, ip_network

import structlog
from msgspec import Struct
from msgspec.structs import replace

from ownkey.domain.allowance import Allowance, Pool, Refused
from ownkey.domain.errors import NotFound, RateLimited
from ownkey.domain.ids import new_id
from ownkey.domain.tenancy import KeyScope, Principal
from ownkey.jobs import Job
from ownkey.storage import jobs
from ownkey.storage import workbench as rows
from ownkey.storage.database import Database
from ownkey.storage.workbench import WorkbenchSession
from ownkey.workbench.hosting.executor import RunExecutor
from ownkey.workbench.hosting.limits import ACCOUNT, ANONYMOUS, SESSIONS_AN_HOUR, Limits
from ownkey.workbench.hosting.run_store import RUN_JOB, job_key

_ABSENT = "There is no workbench session with this id and token."
_SWEPT_AT_ONCE = 100
_HOUR = 3600.0


log = structlog.get_logger(__name__)


class Receipt(Struct, frozen=True, kw_only=True):
    """What an erasure deleted, by kind, and what it left, in words. `at` is Unix seconds."""

    session_id: str
    at: float
    deleted: dict[str, int]
    run_ids: tuple[str, ...]
    scrubbed: bool
    kept: tuple[str, ...] = ()


class SessionStore:
    """Opens, finds and erases sessions. `pepper` is 32 secret bytes under which tokens and addresses are hashed."""

    def __init__(self, database: Database, allowance: Allowance, pepper: bytes) -> None:
        self._database = database
        self._allowance = allowance
        self._pepper = pepper

    async def open(self, principal: Principal | None, peer: str) -> tuple[WorkbenchSession, str]:
        """A new session and its token, which is shown once.

        Raises RateLimited when `peer` has a session without an account already, which its creator can end, and only
        they, or has begun too many of late.
        """
        token = f"wb_{secrets.token_urlsafe(32)}"
        limits = ANONYMOUS if principal is None else ACCOUNT
        now = time.time()
        session = WorkbenchSession(
            id=new_id("wbs"),
            token_hash=self._hash("token", token),
            created_at=now,
            expires_at=now + limits.session_s,
        )
        if principal is not None:
            key = principal.api_key
            session = replace(session, user_id=principal.user_id, api_key_id=key.id if key else None)
        else:
            session = replace(session, peer_hash=self._hash("peer", _neighbourhood(peer)))
            await self._make_room(session, now)
            await self._count_opening(session)
        async with self._database.write() as conn:
            made = await rows.sessions.create(conn, session)
        if not made:
            text = (
                "Your address has a workbench session without an account already. Erase it with its token, wait for "
                "its end (an hour after its start), or sign in."
            )
            raise RateLimited(text)
        return session, token

    async def find(self, session_id: str, token: str | None, principal: Principal | None) -> WorkbenchSession:
        """The session, for who has its token or owns it. Raises NotFound, the same for every reason."""
        now = time.time()
        found = None
        async with self._database.read() as conn:
            if token:
                found = await rows.sessions.by_token(conn, session_id, self._hash("token", token), now)
            if found is None and principal is not None:
                found = await rows.sessions.of_user(conn, session_id, principal.user_id, now)
                found = found if found is not None and _may_use(principal, found) else None
        if found is None:
            raise NotFound(_ABSENT)
        return found

    async def of_token(self, token: str) -> WorkbenchSession:
        """The session whose token this is. Raises NotFound."""
        async with self._database.read() as conn:
            found = await rows.sessions.of_token(conn, self._hash("token", token), time.time())
        if found is None:
            raise NotFound(_ABSENT)
        return found

    async def of_user(self, principal: Principal, limit: int) -> list[WorkbenchSession]:
        """The user's sessions that this caller may use, newest first."""
        async with self._database.read() as conn:
            found = await rows.sessions.list_of_user(conn, principal.user_id, time.time(), limit)
        return [session for session in found if _may_use(principal, session)]

    async def erase(self, session_id: str) -> Receipt:
        """Delete a session whole. Raises NotFound when it is gone already."""
        async with self._database.write() as conn:
            runs = await rows.runs.list_of_session(conn, session_id)
            erased = await rows.sessions.erase(conn, session_id)
            await jobs.forget(conn, RUN_JOB, [job_key(run.id, run.round) for run in runs])
        if erased is None:
            raise NotFound(_ABSENT)
        counts = {
            "keys": erased.keys,
            "data_keys": erased.data_keys,
            "targets": erased.targets,
            "suites": erased.suites,
            "prompts": erased.prompts,
            "runs": erased.runs,
            "results": erased.results,
            "sessions": 1,
        }
        return Receipt(
            session_id=session_id,
            at=time.time(),
            deleted=counts,
            run_ids=erased.run_ids,
            scrubbed=await self._database.scrub(),
        )

    async def expired(self) -> list[str]:
        """Ids of sessions whose time is over, some at a time."""
        async with self._database.read() as conn:
            return await rows.sessions.expired(conn, time.time(), _SWEPT_AT_ONCE)

    async def _make_room(self, session: WorkbenchSession, now: float) -> None:
        """An expired session of the same address does not keep its place until the sweep."""
        async with self._database.read() as conn:
            over = await rows.sessions.expired(conn, now, _SWEPT_AT_ONCE, session.peer_hash)
        for session_id in over:
            async with self._database.write() as conn:
                await rows.sessions.erase(conn, session_id)

    async def _count_opening(self, session: WorkbenchSession) -> None:
        pool = Pool(f"workbench-open:{who(session)}", SESSIONS_AN_HOUR, _HOUR, "sessions")
        outcome = await self._allowance.acquire((pool,), (1,))
        if isinstance(outcome, Refused):
            text = f"Your address has begun {SESSIONS_AN_HOUR} workbench sessions within an hour: wait, or sign in."
            raise RateLimited(text, retry_after=outcome.retry_after)

    def _hash(self, kind: str, text: str) -> bytes:
        return hmac.digest(self._pepper, f"{kind}:{text}".encode(), "sha256")


def limits_of(session: WorkbenchSession) -> Limits:
    return ANONYMOUS if session.user_id is None else ACCOUNT


def who(session: WorkbenchSession) -> str:
    """Whose actions are counted together: a user's, or an address's, by its hash."""
    return session.user_id or (session.peer_hash or b"").hex()


def _may_use(principal: Principal, session: WorkbenchSession) -> bool:
    """A session's work has the rights of what it was made with. An API key with fewer rights than its user must not
    get them back by a session that was made with all of them."""
    key = principal.api_key
    if key is None or key.id == session.api_key_id:
        return True
    bounds = (key.models, key.allowed_ips, key.requests_per_minute)
    return KeyScope.GATEWAY in key.scopes and all(bound is None for bound in bounds)


def _neighbourhood(peer: str) -> str:
    """An IPv6 subscriber has a whole /64, and counts as one address; without an address all are one."""
    try:
        address = ip_address(peer)
    except ValueError:
        return peer
    if isinstance(address, IPv6Address):
        mapped = address.ipv4_mapped
        return str(mapped) if mapped is not None else str(ip_network((int(address), 64), strict=False))
    return str(address)


_USAGE_KEPT = (
    "Requests that went through this gateway stay in your account's usage: they are what was paid, without any text."
)


class Eraser:
    """Erases sessions and single runs: what runs is stopped, what is stored goes, and a receipt says what went."""

    def __init__(self, database: Database, sessions: SessionStore, executor: RunExecutor) -> None:
        self._database = database
        self._sessions = sessions
        self._executor = executor

    async def erase(self, session_id: str) -> Receipt:
        """Erase a session. Raises NotFound when it is gone already."""
        async with self._database.read() as conn:
            session = await rows.sessions.get(conn, session_id)
        receipt = await self._sessions.erase(session_id)
        # After the rows: a run that ends now finds nothing to write to.
        for run_id in receipt.run_ids:
            self._executor.stop(run_id)
        kept = (_USAGE_KEPT,) if session is not None and session.user_id is not None else ()
        return replace(receipt, kept=kept)

    async def erase_run(self, run_id: str, round_: int) -> None:
        """Delete a run with its results and its job."""
        async with self._database.write() as conn:
            await rows.runs.delete(conn, run_id)
            await jobs.forget(conn, RUN_JOB, [job_key(run_id, round_)])
        self._executor.stop(run_id)
        if self._database.engine == "sqlite":
            # There it costs little. On Postgres it rewrites tables of keys, of which this had none.
            await self._database.scrub()

    def sweep_job(self, every_s: float) -> Job:
        """The job that erases expired sessions."""
        return Job(name="workbench-sweep", work=self._sweep, every=every_s)

    async def _sweep(self, _: str) -> None:
        count = 0
        while expired := await self._sessions.expired():
            for session_id in expired:
                # Its creator was first.
                with suppress(NotFound):
                    await self.erase(session_id)
                    count += 1
        if count:
            log.info("expired workbench sessions erased", count=count)
