"""Errors of input and settings, in words that say what to do.

TobiishiError
 ├── SettingError     a setting is missing or can't be used
 ├── InUse            something else rests on what is to go
 ├── NotFound         the channel, scenario, audience or friend named does not exist
 └── Invalid          the input names something that can't be

Wrong scenarios have their own `tobiishi.scenario.ScenarioError`, LINE's answers
`tobiishi.line.LineError`.
"""

from __future__ import annotations


class TobiishiError(Exception):
    """Base of our own errors; its text is for people."""


class SettingError(TobiishiError):
    """A setting is missing or can't be used."""


class InUse(TobiishiError):
    """Something else still rests on what is to be removed or changed; the text names it."""


class NotFound(TobiishiError):
    """The channel, scenario, audience or friend named does not exist."""


class Invalid(TobiishiError):
    """The input names something that can't be."""
