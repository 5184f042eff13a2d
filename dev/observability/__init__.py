"""Prometheus beside a local run: the gauges of the health check, rules, and a dashboard for Grafana."""
