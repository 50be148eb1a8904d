"""A tenant's view of itself and its API keys."""
