"""Which jobs there are. Parts register their own; nothing here knows what any of them does."""

from collections.abc import Awaitable, Callable

from msgspec import Struct

Work = Callable[[str], Awaitable[None]]
"""Is given the key of the job, such as the id of the row that it is about."""


class Job(Struct, frozen=True, kw_only=True):
    """A kind of job. `work` may be called again after a crash, so it continues where its own rows end.

    With `every` the job runs on a schedule, so many seconds after it last ended, once among all processes; otherwise
    once for each key that was enqueued. `work` that raises Unavailable waits for the database and does not count as an
    attempt. After `attempts` other failures, `dead` is called with the key and the job becomes a dead letter; a
    scheduled job just runs at its next time.
    """

    name: str
    work: Work
    every: float | None = None
    attempts: int = 1
    dead: Work | None = None


class JobRegistry:
    """The jobs of this process, by name."""

    def __init__(self) -> None:
        self._jobs: dict[str, Job] = {}

    def register(self, job: Job) -> None:
        """Add a job. Raises ValueError for a name that is taken."""
        if job.name in self._jobs:
            raise ValueError(f"a job named {job.name} is registered already")
        self._jobs[job.name] = job

    def __getitem__(self, name: str) -> Job:
        return self._jobs[name]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._jobs)

    @property
    def scheduled(self) -> tuple[Job, ...]:
        return tuple(job for job in self._jobs.values() if job.every is not None)
