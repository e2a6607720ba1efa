"""Options that several workbench commands share."""

from pathlib import Path
from typing import Annotated

import typer

RUN_FOLDER = Path("workbench-runs")

Endpoint = Annotated[str | None, typer.Option("--endpoint", help="Base URL, the part before /chat/completions")]
Preset = Annotated[str | None, typer.Option("--preset", help="A known endpoint, such as openai, groq, ollama, ownkey")]
KeyEnv = Annotated[
    str | None, typer.Option("--api-key-env", help="Name of the variable that holds the key, if not the usual one")
]
SuiteName = Annotated[
    str | None,
    typer.Option("--suite", help="A curated suite's id, a file in any import format, or - for standard input"),
]
Mapping = Annotated[
    list[str] | None, typer.Option("--mapping", help="Which column holds what, prompt=question,expected=answer")
]
Template = Annotated[
    str | None, typer.Option("--template", help="Prompt for promptfoo tests without one: {{question}}")
]
SuiteFormat = Annotated[str | None, typer.Option("--suite-format", help="Instead of finding the file's format out")]
Limit = Annotated[int | None, typer.Option("--limit", min=1, help="Only the first prompts")]
Concurrency = Annotated[int, typer.Option("--concurrency", min=1, max=1000, help="Concurrent calls")]
Repeats = Annotated[int, typer.Option("--repeats", min=1, max=1000, help="How often each prompt is sent")]
WarmUp = Annotated[int, typer.Option("--warm-up", min=0, max=1000, help="Calls before, which are in no figure")]
MaxTokens = Annotated[int, typer.Option("--max-tokens", min=1, help="Most tokens of an answer")]
Temperature = Annotated[float, typer.Option("--temperature", min=0, max=2, help="Sampling temperature")]
Timeout = Annotated[float, typer.Option("--timeout", min=0.1, help="Seconds for one call, to its last byte")]
Retries = Annotated[int, typer.Option("--retries", min=0, max=20, help="Further tries after failures that may pass")]
MaxCost = Annotated[str | None, typer.Option("--max-cost", help="USD that the run may cost; it ends before")]
PricesOption = Annotated[str | None, typer.Option("--prices", help="IN,OUT in USD per million tokens")]
JudgeModel = Annotated[str | None, typer.Option("--judge-model", help="Model that grades rubrics")]
JudgeEndpoint = Annotated[str | None, typer.Option("--judge-endpoint", help="Where the judge is, if not at Ownkey")]
JudgeKeyEnv = Annotated[str | None, typer.Option("--judge-key-env", help="Name of the variable with the judge's key")]
EmbeddingModel = Annotated[
    str | None, typer.Option("--embedding-model", help="Model for `similar` checks, where the judge is")
]
JudgePrices = Annotated[
    str | None, typer.Option("--judge-prices", help="The judge's: IN,OUT in USD per million tokens")
]
EmbeddingPrice = Annotated[
    str | None, typer.Option("--embedding-price", help="The embedding model's, in USD per million tokens")
]
Seed = Annotated[int, typer.Option("--seed", help="For arrivals and resampling")]
Outputs = Annotated[
    list[Path] | None, typer.Option("--output", "-o", help="Also write .json .csv .jsonl .xml .html; repeatable")
]
RunDir = Annotated[Path, typer.Option("--run-dir", help="Folder of the runs' files")]
Check = Annotated[bool, typer.Option("--check/--no-check", help="Check the connection first, and adapt to it")]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask about the costs")]
