"""Evidence that a friend acted on a message: links, buttons, videos, the shop's own site."""
