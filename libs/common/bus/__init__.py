"""The message bus: one port, two adapters."""
