"""The control plane: accounts, keys, preferences, usage. It uses the gateway by its public face alone."""

from ownkey.control.app import LARGE_BODIES, create_app
from ownkey.control.context import Control, ControlSettings, Readiness
from ownkey.control.passwords import Passwords
from ownkey.control.problems import render_problem

__all__ = ["LARGE_BODIES", "Control", "ControlSettings", "Passwords", "Readiness", "create_app", "render_problem"]
