"""The words of the project: pure values and rules, without clock, network or database."""
