"""`/workbench/sessions`, `/workbench/presets`, `/workbench/terms`."""
