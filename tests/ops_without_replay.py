"""Rows of the op table that cannot be traced once and replayed on other inputs, and why."""

EXCEPT: dict[str, str] = {}
