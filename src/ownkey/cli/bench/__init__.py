"""`ownkey bench`: models × complexities, load by a schedule, and what Ownkey itself adds.

command    the options                      asked      what they mean
tasks      the prompts                      measuring  asking models
matrix     every prompt × every model       load       open loop
overhead   directly and through Ownkey      tables     for people
records    the results' file                history    results over time

Only the command is imported here: whatever is heavy is imported when it runs.
"""

from ownkey.cli.bench.command import bench

__all__ = ["bench"]
