"""From what was kept in Postgres to what follows from it, one queue a module."""
