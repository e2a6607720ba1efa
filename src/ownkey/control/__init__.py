"""The control plane: accounts, keys, preferences, usage. It uses the gateway by its public face alone."""

from ownkey.control.app import create_app
from ownkey.control.context import Control, ControlSettings, Readiness
from ownkey.control.passwords import Passwords

__all__ = ["Control", "ControlSettings", "Passwords", "Readiness", "create_app"]
