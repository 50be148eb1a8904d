"""Who calls: API keys, access tokens and sessions, checked by each replica in its own memory."""
