"""The language of what commands print for marketers, and of what they ask the starter for."""

from __future__ import annotations

import os

from tobiishi.languages import Language, of_environment


def language() -> Language:
    """Japanese where `LC_ALL`, `LC_MESSAGES` or `LANG` names it, else English."""
    return of_environment(os.environ)
