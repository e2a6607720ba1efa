"""Durable jobs: work that is requested in a transaction and executed at least once, whichever process dies.

    jobs.register(Job(name="send-alert", work=send, attempts=8, dead=give_up))

    async with database.write() as conn:
        await alerts.create(conn, alert)
        await stored_jobs.enqueue(conn, "send-alert", alert.id, time.time())
    jobs.wake()

registry  what a job is: a name, a function, and a schedule or the requests for it
worker    executes jobs in this process under leases, and retries them; the process's name as a holder of leases
"""

from ownkey.jobs.registry import Job, JobRegistry
from ownkey.jobs.worker import JobWorker, holder_name

__all__ = ["Job", "JobRegistry", "JobWorker", "holder_name"]
