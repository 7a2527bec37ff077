"""From a checked scenario to a live version, and to those who enter it in bulk."""
