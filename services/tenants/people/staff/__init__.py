"""The platform's own people: a realm of its own, in tables that no tenant's transaction sees."""
