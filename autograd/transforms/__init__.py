"""Transforms: functions in, functions out."""
