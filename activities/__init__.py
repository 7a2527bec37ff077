"""The activities: what a journey or an enrolment has done for it, each one noun.

They may be tried again at any time, and each is written so that a second try does nothing twice.
"""

from activities.awaiting import Awaiting
from activities.branching import Branching
from activities.ending import Ending
from activities.enrolling import Enrolling
from activities.sending import Sending
from activities.starting import Starting
from activities.tagging import Tagging

__all__ = ["Awaiting", "Branching", "Ending", "Enrolling", "Sending", "Starting", "Tagging"]
