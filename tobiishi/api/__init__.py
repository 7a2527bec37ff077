"""The HTTP side of Tobiishi: LINE's webhooks, and the API that people and tools use."""

from tobiishi.api.app import create_app

__all__ = ["create_app"]
