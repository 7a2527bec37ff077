"""Rehearsals: what a scenario would do, tried by its real workflow and activities against nobody.

Its clock stands still while anything is done and skips to the next thing that happens; LINE is an
in-process stand-in that keeps what it gets; the friend is made up, in a database of the rehearsal's
own.
"""
