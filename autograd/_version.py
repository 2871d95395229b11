"""The one place that states the version; pyproject.toml and the changelog test read it."""

__all__ = []

__version__ = "0.1.0"
