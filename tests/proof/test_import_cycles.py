"""No module of Ownkey imports itself by way of others: neither at the top, nor lazily, nor for its types alone."""

from graphlib import TopologicalSorter

from grimp import build_graph


def test_the_imports_have_no_cycle() -> None:
    """A package and the modules in it count too, which the import contracts do not look at."""
    graph = build_graph("ownkey", cache_dir=None)
    imports = {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}
    assert len(imports) > 100
    TopologicalSorter(imports).prepare()  # raises CycleError, which names the modules
