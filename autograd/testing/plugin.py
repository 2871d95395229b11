"""The former name of the pytest plugin `gradloom_pytest`, for a conftest.py that names it."""

pytest_plugins = ["gradloom_pytest"]

__all__ = ["pytest_plugins"]
