"""The demo: upstream is played on real files against the deployed template."""
