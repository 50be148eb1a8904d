"""Who calls: API keys, checked against a projection that is kept in memory."""
