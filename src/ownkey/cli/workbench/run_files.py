"""A run as a file of JSON lines, written while it runs: a header, the prompts, each result as it arrives.

It contains everything but the keys, so that a run can continue after a crash, even if the suite's file has changed
since, and be exported at any time. A line cut off by a crash is the last one and is dropped.
"""

import asyncio
import fcntl
import os
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from pathlib import Path

import msgspec
from msgspec import Struct

from ownkey.cli.failures import CommandFailed
from ownkey.cli.workbench.targets import Way
from ownkey.workbench.engine import Judgement, RunState, Spending, preferences_of
from ownkey.workbench.export import ExportedRun
from ownkey.workbench.figures import Figures
from ownkey.workbench.records import FailureKind, Prompt, Result, RunPlan, RunStatus, Slot
from ownkey.workbench.summary import RunSummary

FORMAT = "ownkey.workbench.runfile/1"
_ENDING = ".jsonl"
_SYNC_S = 1.0
"""How much a power failure may take; a crash of the process takes nothing."""


class Header(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The first line. `ways` are the targets', in their order; `judge` is how judge and embeddings are reached."""

    format: str
    id: str
    created_at: float
    plan: RunPlan
    ways: tuple[Way, ...]
    judge: Way | None = None


class End(Struct, frozen=True, omit_defaults=True):
    """How one round of the run ended; the last one counts."""

    status: RunStatus
    detail: str
    at: float


class _Line(Struct, frozen=True, omit_defaults=True):
    """Any line: one of these; spending may accompany a result or a judgement, and the last one counts."""

    header: Header | None = None
    prompt: Prompt | None = None
    result: Result | None = None
    judgement: Judgement | None = None
    spending: Spending | None = None
    end: End | None = None


_DECODER = msgspec.json.Decoder(_Line)
_ENCODER = msgspec.json.Encoder()


class RunFile:
    """A run's file. Reading does not need it to be open for writing.

    `settled` are the slots that are not called again, `spending` is what the run has spent, `seq` and `round` are the
    latest.
    """

    def __init__(self, path: Path, header: Header, prompts: tuple[Prompt, ...]) -> None:
        self.path = path
        self.header = header
        self.prompts = prompts
        self.end: End | None = None
        self.seq = 0
        self.round = 0
        self.spending = Spending()
        self.judgements: list[Judgement] = []
        self.answered: set[Slot] = set()
        self.failed: set[Slot] = set()
        self._output = -1
        self._synced = time.monotonic()

    @property
    def plan(self) -> RunPlan:
        return self.header.plan

    @classmethod
    def create(cls, folder: Path, header: Header, prompts: Sequence[Prompt]) -> "RunFile":
        """A new file, readable by its owner alone, open for writing. Raises CommandFailed."""
        file = cls(folder / f"{header.id}{_ENDING}", header, tuple(prompts))
        try:
            folder.mkdir(parents=True, exist_ok=True)
            file._output = os.open(file.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(file._output, fcntl.LOCK_EX)
            lines = [_Line(header=header), *(_Line(prompt=prompt) for prompt in prompts)]
            file._write(lines)
        except OSError as error:
            raise CommandFailed(f"{file.path} cannot be written: {error.strerror}; see --run-dir") from None
        return file

    @classmethod
    def read(cls, path: Path) -> "RunFile":
        """A file as it is now. Raises CommandFailed for one that is no run's, with the line."""
        lines = _lines(path)
        _, first = next(lines, (0, _Line()))
        if first.header is None or first.header.format != FORMAT:
            raise CommandFailed(f"{path} is no file of a run that this version can read")
        file = cls(path, first.header, ())
        prompts: list[Prompt] = []
        for _, line in lines:
            if line.prompt is not None:
                prompts.append(line.prompt)
                continue
            file.prompts = file.prompts or tuple(prompts)
            if line.result is not None:
                file._count(line.result)
            if line.judgement is not None:
                file.judgements.append(line.judgement)
            if line.end is not None:
                file.end = line.end
            file.spending = line.spending or file.spending
        file.prompts = file.prompts or tuple(prompts)
        if len(file.prompts) < first.header.plan.prompts:
            raise CommandFailed(f"{path} was cut off before its prompts were written: start the run again")
        return file

    @classmethod
    def reopen(cls, path: Path) -> "RunFile":
        """A file to continue, as another round. Raises CommandFailed while another process writes it."""
        try:
            output = os.open(path, os.O_RDWR | os.O_APPEND)
            fcntl.flock(output, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # Before anything is cut off: it may be another kind of file.
            file = cls.read(path)
            os.ftruncate(output, _whole(output))
        except BlockingIOError:
            raise CommandFailed(f"the run in {path} is running in another process") from None
        except OSError as error:
            raise CommandFailed(f"{path} cannot be written: {error.strerror}") from None
        file._output = output
        return file

    def change(
        self, key_env: str | None, judge_key_env: str | None, max_cost: int | None, concurrency: int | None
    ) -> None:
        """Use other variables for keys, another limit or concurrency, for this execution. None changes nothing."""
        header, plan = self.header, self.plan
        ways = tuple(msgspec.structs.replace(way, key_env=key_env or way.key_env) for way in header.ways)
        judge = header.judge and Way(header.judge.base_url, judge_key_env or header.judge.key_env)
        plan = msgspec.structs.replace(
            plan, max_cost=plan.max_cost if max_cost is None else max_cost, concurrency=concurrency or plan.concurrency
        )
        self.header = msgspec.structs.replace(header, ways=ways, judge=judge, plan=plan)

    async def keep(self, results: Sequence[Result], spending: Spending) -> list[Result]:
        """Append results, numbered, and what the run has spent; returns what was stored. Calls that were broken off are
        not stored: they will be repeated."""
        kept: list[Result] = []
        for result in results:
            failure = result.observation.failure
            if failure is not None and failure.kind is FailureKind.CANCELLED:
                continue
            numbered = msgspec.structs.replace(result, seq=self.seq + 1, round=self.round + 1)
            self.seq += 1
            kept.append(numbered)
        if not kept and spending == self.spending:
            return kept
        # With the last result, so that a line that is cut off takes both or neither.
        last = _Line(result=kept[-1] if kept else None, spending=spending)
        self._append([*(_Line(result=result) for result in kept[:-1]), last])
        self.spending = spending
        if time.monotonic() - self._synced > _SYNC_S:
            self._synced = time.monotonic()
            await asyncio.to_thread(os.fsync, self._output)
        return kept

    def judge(self, judgement: Judgement, spending: Spending) -> None:
        """Add a verdict, and what the run has spent."""
        self._append([_Line(judgement=judgement, spending=spending)])
        self.judgements.append(judgement)
        self.spending = spending

    def conclude(self, end: End) -> None:
        """Add how it ended, and close the file."""
        self.end = end
        self._append([_Line(end=end)])
        os.fsync(self._output)
        self.close()

    def close(self) -> None:
        """Give the file, and the lock on it, free."""
        if self._output >= 0:
            os.close(self._output)
            self._output = -1

    def settled(self, *, retry_failed: bool) -> set[Slot]:
        """The slots that are not called again."""
        return set(self.answered) if retry_failed else self.answered | self.failed

    def results(self) -> Iterator[Result]:
        """All results in the order in which they came, read from the file."""
        for _, line in _lines(self.path):
            if line.result is not None:
                yield line.result

    def places(self, repeat: int = 0) -> dict[tuple[int, int], int]:
        """Where the answers of one repetition are in the file, by target and position."""
        found: dict[tuple[int, int], int] = {}
        for offset, line in _lines(self.path):
            if line.result is not None and line.result.observation.ok and line.result.slot.repeat == repeat:
                found[line.result.slot.target, line.result.slot.position] = offset
        return found

    def answer(self, place: int) -> str:
        """The text of the answer at a place."""
        with self.path.open("rb") as file:
            file.seek(place)
            result = _DECODER.decode(file.readline()).result
        return "" if result is None else result.observation.text

    def summary(self) -> RunSummary:
        """The figures of what is there."""
        figures = Figures(self.plan)
        for result in self.results():
            figures.add(result)
        summary = figures.summary(preferences_of(self.plan, self.judgements))
        return msgspec.structs.replace(summary, spent=self.spending.reported())

    def exported(self, summary: RunSummary) -> ExportedRun:
        """The run in the form that exports read."""

        async def each() -> AsyncIterator[tuple[Prompt, Result]]:
            for result in self.results():
                yield self.prompts[result.slot.position], result

        end = self.end
        return ExportedRun(
            id=self.header.id,
            plan=self.plan,
            status=RunStatus.RUNNING if end is None else end.status,
            detail="" if end is None else end.detail,
            created_at=self.header.created_at,
            started_at=self.header.created_at,
            ended_at=None if end is None else end.at,
            summary=summary,
            results=each(),
        )

    def _count(self, result: Result) -> None:
        slot = result.slot
        if slot.position >= len(self.prompts) or slot.target >= len(self.plan.targets):
            raise CommandFailed(f"{self.path} is damaged: result {result.seq} belongs to no prompt of the run")
        self.seq = max(self.seq, result.seq)
        self.round = max(self.round, result.round)
        (self.answered if result.observation.ok else self.failed).add(result.slot)

    def _append(self, lines: Sequence[_Line]) -> None:
        try:
            self._write(lines)
        except OSError as error:
            raise CommandFailed(f"{self.path} cannot be written: {error.strerror}") from None

    def _write(self, lines: Sequence[_Line]) -> None:
        data = memoryview(b"".join(_ENCODER.encode(line) + b"\n" for line in lines))
        while data:
            data = data[os.write(self._output, data) :]


class FileRunStore:
    """`RunStore` over a run's file. `kept` receives each batch of results as stored.

    Calls that were broken off are not stored: another round repeats them. With `retry_failed` neither are failures.
    """

    def __init__(self, file: RunFile, *, retry_failed: bool, kept: Callable[[Sequence[Result]], None]) -> None:
        self._file = file
        self._retry_failed = retry_failed
        self._kept = kept
        self._places: dict[tuple[int, int], int] | None = None
        self._ended = False

    async def state(self) -> RunState:
        file = self._file
        settled = frozenset(file.settled(retry_failed=self._retry_failed))
        return RunState(settled=settled, spending=file.spending, judgements=tuple(file.judgements))

    async def keep(self, results: Sequence[Result], spending: Spending) -> None:
        self._kept(await self._file.keep(results, spending))

    async def keep_judgement(self, judgement: Judgement, spending: Spending) -> None:
        self._file.judge(judgement, spending)

    async def results(self) -> AsyncGenerator[Result]:
        for result in self._file.results():
            yield result

    async def answer(self, target: int, position: int) -> str | None:
        # Answers are read when all results are there.
        self._places = self._places or self._file.places()
        place = self._places.get((target, position))
        return None if place is None else self._file.answer(place)

    async def end(self, status: RunStatus, detail: str, summary: RunSummary | None) -> None:
        if not self._ended:
            self._ended = True
            self._file.conclude(End(status, detail, time.time()))


def find_run(named: str, folder: Path) -> Path | None:
    """The file of a run by its path or its id, or None."""
    for path in (Path(named), folder / f"{named}{_ENDING}"):
        if path.is_file():
            return path
    return None


def is_run_file(path: Path) -> bool:
    """Whether a file begins as a run's does."""
    with path.open("rb") as file:
        return file.read(200).startswith(b'{"header":{"format":"' + FORMAT.encode())


def _lines(path: Path) -> Iterator[tuple[int, _Line]]:
    """Each whole line with its offset. Raises CommandFailed with the number of a line that cannot be read."""
    offset = 0
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                if not line.endswith(b"\n"):
                    return
                try:
                    yield offset, _DECODER.decode(line)
                except (msgspec.DecodeError, UnicodeDecodeError) as error:
                    raise CommandFailed(f"{path} is no run's file, or damaged at line {number}: {error}") from None
                offset += len(line)
    except OSError as error:
        raise CommandFailed(f"{path} cannot be read: {error.strerror}") from None


def _whole(file: int) -> int:
    """The length up to the end of the last whole line."""
    size = os.fstat(file).st_size
    while size:
        start = max(0, size - 65536)
        newline = os.pread(file, size - start, start).rfind(b"\n")
        if newline >= 0:
            return start + newline + 1
        size = start
    return 0
