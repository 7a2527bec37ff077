"""The people who added a channel: what is known of them, what they did, their audiences."""
