"""Chaos: everything is killed while friends walk, and then each friend's messages are counted.

`make chaos`, or `python -m tobiishi.chaos --friends 300 --minutes 3 --seed 1`.
"""
