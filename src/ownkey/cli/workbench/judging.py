"""Where a judge and embeddings are reached: at Ownkey, unless another endpoint is given."""

from ownkey.cli.failures import WrongUsage
from ownkey.cli.workbench.targets import OWN_KEY, OWN_URL, Chooser, Way


def judge_way(chooser: Chooser, endpoint: str | None, key_env: str | None, *, wanted: bool) -> Way | None:
    """None where neither a judge nor embeddings are wanted. Raises WrongUsage, and MissingKey."""
    if not wanted:
        if endpoint is not None or key_env is not None:
            raise WrongUsage("--judge-endpoint and --judge-key-env go with --judge-model or --embedding-model")
        return None
    way = chooser.at(endpoint, None, "judge", key_env).way if endpoint else chooser.through_ownkey
    if way is None:
        raise WrongUsage(f"say where the judge is: --judge-endpoint URL, or set {OWN_URL} and {OWN_KEY}")
    way.key()
    return way
