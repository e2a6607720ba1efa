"""The report: one HTML file that opens without a network, contains no script and prints well.

collected     what the results leave in memory: numbers, and a bounded number of answers
charts        drawings as plain shapes
numbers       figures as people read them
page          values for the templates, in Jinja2 with autoescape
report.html   the page and its sections; `macros.html` its small parts, `report.css` its looks
"""

from ownkey.workbench.export.report.page import export_html

__all__ = ["export_html"]
