"""`python -m ownkey.sandbox`: the sandbox without the rest of the command line."""

import argparse

from ownkey.sandbox.options import Options, parse_distribution
from ownkey.sandbox.server import run


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m ownkey.sandbox", description="A simulator of the LLM providers.")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8089, help="0 takes a free one")
    parser.add_argument("--ttft-ms", type=float, default=0.0, help="time to first byte in milliseconds")
    parser.add_argument("--tokens-per-second", type=float, default=0.0, help="0 is as fast as possible")
    parser.add_argument("--seed", type=int, default=None, help="vary the times by up to a quarter, repeatably")
    parser.add_argument("--ttft", type=parse_distribution, default=None, help="such as lognormal:200:0.5")
    parser.add_argument("--gap", type=parse_distribution, default=None, help="milliseconds before each further token")
    parser.add_argument("--recent-requests", type=int, default=512, help="how many requests the debugging log holds")
    parser.add_argument("--lenient", action="store_true", help="accept what the vendors refuse")
    given = parser.parse_args()
    options = Options(
        ttft_ms=given.ttft_ms,
        tokens_per_second=given.tokens_per_second,
        seed=given.seed,
        ttft=given.ttft,
        gap=given.gap,
        recent_requests=given.recent_requests,
        lenient=given.lenient,
    )
    try:
        run(given.host, given.port, options)
    except OSError as error:
        parser.exit(1, f"Cannot listen on {given.host}:{given.port}: {error}\n")


if __name__ == "__main__":
    main()
