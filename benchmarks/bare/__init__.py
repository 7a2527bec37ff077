"""The barest programs that do the same: a worker and a starter, on the same servers."""
