"""Programs and processes: what every tool of the workbench starts and stops."""
