"""Replies of `/workbench/suites`."""

from typing import Annotated

import msgspec

from ownkey.control.shapes import STRUCT, Reply
from ownkey.workbench.records import Prompt, SuiteInfo


class SuiteReply(Reply):
    """A suite without its prompts."""

    id: str
    name: str
    description: str
    task: str | None
    difficulty: str | None
    licence: str | None
    curated: bool
    prompts: int


class SuiteDetail(SuiteReply):
    """A suite with its first prompts."""

    items: list[Annotated[Prompt, STRUCT]]


class UploadedReply(SuiteReply):
    """How an upload was read; `notes` list what was left out."""

    format: str
    notes: list[str]


def show_suite(info: SuiteInfo) -> SuiteReply:
    return SuiteReply(**msgspec.to_builtins(info))
