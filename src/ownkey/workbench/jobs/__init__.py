"""Runs and sweeps as durable workflows (DBOS), so that a killed process's work goes on when it is back.

durable   the workflows and their life cycle
bridge    from a workflow's thread to the server's event loop
log       what the library says, into our log
"""

from ownkey.workbench.jobs.durable import DurableJobs, JobWork

__all__ = ["DurableJobs", "JobWork"]
