"""Everything is measured beside the barest thing that does the same: see docs/benchmarks.md.

`make bench`, or `python -m benchmarks [PART …]`.
"""
