"""What the platform needs at its vault: a policy a role, the logins, and the platform's own keys."""
