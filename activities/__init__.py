"""The activities: what a journey has done for it, each one noun.

They may be tried again at any time, and each is written so that a second try does nothing twice.
"""

from activities.awaiting import Awaiting
from activities.branching import Branching
from activities.ending import Ending
from activities.sending import Sending
from activities.tagging import Tagging

__all__ = ["Awaiting", "Branching", "Ending", "Sending", "Tagging"]
