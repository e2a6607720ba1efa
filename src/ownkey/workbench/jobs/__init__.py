"""Runs and sweeps as durable workflows (DBOS), so that a killed process's work goes on when it is back.

durable   the workflows and their life cycle
library   what the library is asked about them
speech    what the library says, fit for our log
bridge    from a workflow's thread to the server's event loop
"""

from ownkey.workbench.jobs.durable import DurableJobs, JobWork

__all__ = ["DurableJobs", "JobWork"]
