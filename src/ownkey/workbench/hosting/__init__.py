"""The workbench on a server: sessions, their models and suites, and runs as durable jobs.

limits     the limits of a session
sessions   created, found by their secret, erased with a receipt
targets    models under test, their keys sealed, their prices; `account` is whose rights the calls have
suites     the curated and the uploaded ones
runs       created, read, cancelled, retried
executor   the durable job of a run; `run_store` records its results and its end
feed       live news
talk       questions to a tested model about its results
workbench  the whole, as the control plane sees it
"""

from ownkey.workbench.hosting.feed import News, RunFeed
from ownkey.workbench.hosting.limits import ACCOUNT, ANONYMOUS, Limits
from ownkey.workbench.hosting.runs import Run, RunService
from ownkey.workbench.hosting.sessions import Receipt, SessionStore, limits_of, who
from ownkey.workbench.hosting.suites import PromptPages, SuiteStore
from ownkey.workbench.hosting.talk import Said
from ownkey.workbench.hosting.targets import TARGET_ID, TargetStore, list_prices, planned_prices
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
