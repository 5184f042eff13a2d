"""Alarms, dashboard and local monitoring."""
