"""Users of tenants and staff of the platform: who they are and how they get in."""
