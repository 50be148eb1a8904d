"""Leases: a credential, sealed to one worker for one batch or probe, for minutes."""
