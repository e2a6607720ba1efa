"""The report: one HTML file that opens without a network, holds no script and prints well.

collected   what the results leave in memory: numbers, and a bounded number of answers
markup      escaping; figures as people read them
charts/     SVG
figures, comparing, failures, answers   the sections
page        the whole, in order
style       its looks, light and dark
"""

from ownkey.workbench.export.html.page import export_html

__all__ = ["export_html"]
