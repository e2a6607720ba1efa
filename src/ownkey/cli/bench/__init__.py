"""`ownkey bench`: models × complexities, load by a schedule, and what Ownkey itself adds.

command    the options
plans      what they mean: models, prompts, plans
measure    asking the models: the matrix, load, the overhead
execution  from the options to the results
records    the results' file, and results over time

Only the command is imported here: whatever is heavy is imported when it runs.
"""

from ownkey.cli.bench.command import bench

__all__ = ["bench"]
