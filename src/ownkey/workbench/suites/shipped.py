"""The curated suites: four tasks, each easy and medium, ten prompts each."""

from functools import cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from ownkey.domain.errors import NotFound
from ownkey.workbench.records import Prompt, SuiteInfo
from ownkey.workbench.suites.files import Suite, read_suites


class CuratedSuites:
    """Built once by the composition root; the files are read when somebody first asks."""

    def __init__(self, folder: Traversable | None = None) -> None:
        self._folder = folder or files("ownkey.workbench.suites").joinpath("curated")

    def curated_suites(self) -> tuple[SuiteInfo, ...]:
        """All suites, without their prompts. Raises SuiteFileError."""
        return tuple(suite.info for suite in self._suites.values())

    def curated_prompts(self, suite_id: str) -> tuple[Prompt, ...]:
        """The prompts of a suite, in order. Raises NotFound, and SuiteFileError."""
        suite = self._suites.get(suite_id)
        if suite is None:
            known = ", ".join(self._suites)
            raise NotFound(f"There is no curated suite {suite_id!r}. There are: {known}.", param="suite_id")
        return suite.prompts

    @cached_property
    def _suites(self) -> dict[str, Suite]:
        return read_suites(self._folder)
