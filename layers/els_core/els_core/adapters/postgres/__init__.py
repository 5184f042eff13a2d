"""The record and the judge."""
