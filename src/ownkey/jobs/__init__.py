"""Durable jobs: work that is requested in a transaction and carried out at least once, whichever process dies.

    jobs.register(Job(name="send-alert", work=send, attempts=8, dead=give_up))

    async with database.write() as conn:
        await alerts.create(conn, alert)
        await stored_jobs.enqueue(conn, "send-alert", alert.id, time.time())
    jobs.wake()

registry  what a job is: a name, a function, and a schedule or the requests for it
worker    carries jobs out in this process under leases, and retries them
holder    this process's name as the holder of leases
"""

from ownkey.jobs.holder import holder_name
from ownkey.jobs.registry import Job, JobRegistry
from ownkey.jobs.worker import JobWorker

__all__ = ["Job", "JobRegistry", "JobWorker", "holder_name"]
