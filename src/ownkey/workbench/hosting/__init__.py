"""The workbench on a server: sessions, their models and suites, and runs as durable work.

limits       what a session may ask for
sessions     opened, found by their secret, erased
targets      models under test, their keys sealed; `gateway_transport` reaches those of this gateway
suites       the curated and the uploaded
runs         made, looked at, cancelled, tried again
account      whose rights a run has, as they are now
carrying_out the calls of a run; `keeping` stores their results, `grading` makes the graders
concluding   a judge's preferences, the figures, the status
beating      runs under way say so, and hear when they are to end
feed         live news
glances      figures of runs under way, for impatient people
erasing      sessions and runs, with a receipt
work         all that the durable jobs carry out
workbench    the whole, as the control plane sees it
"""

from ownkey.workbench.hosting.feed import News, RunFeed
from ownkey.workbench.hosting.limits import ACCOUNT, ANONYMOUS, Limits
from ownkey.workbench.hosting.pricing import list_prices, planned_prices
from ownkey.workbench.hosting.runs import Run, RunService
from ownkey.workbench.hosting.sessions import Receipt, SessionStore, limits_of, who
from ownkey.workbench.hosting.suites import PromptPages, SuiteStore
from ownkey.workbench.hosting.talk import Said
from ownkey.workbench.hosting.targets import TARGET_ID, TargetStore
from ownkey.workbench.hosting.workbench import Workbench, open_workbench

__all__ = [
    "ACCOUNT",
    "ANONYMOUS",
    "TARGET_ID",
    "Limits",
    "News",
    "PromptPages",
    "Receipt",
    "Run",
    "RunFeed",
    "RunService",
    "Said",
    "SessionStore",
    "SuiteStore",
    "TargetStore",
    "Workbench",
    "limits_of",
    "list_prices",
    "open_workbench",
    "planned_prices",
    "who",
]
