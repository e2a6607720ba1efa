"""Where a judge and embeddings are reached: at Ownkey, unless another endpoint is given."""

from ownkey.cli.failures import WrongUsage
from ownkey.cli.workbench.targets import OWN_KEY, OWN_URL, OWNKEY, Chooser, Chosen


def judge_of(
    chooser: Chooser, judge_model: str | None, embedding_model: str | None, endpoint: str | None, key_env: str | None
) -> Chosen | None:
    """The judge, or where there is none the embedding model: they are reached the same way. None where neither is
    wanted. Raises WrongUsage, and MissingKey."""
    model = judge_model or embedding_model
    if model is None:
        if endpoint is not None or key_env is not None:
            raise WrongUsage("--judge-endpoint and --judge-key-env go with --judge-model or --embedding-model")
        return None
    if endpoint is None and chooser.through_ownkey is None:
        raise WrongUsage(f"say where the judge is: --judge-endpoint URL, or set {OWN_URL} and {OWN_KEY}")
    chosen = chooser.at(endpoint, None if endpoint else OWNKEY, model, key_env)
    chosen.way.key()
    return chosen
