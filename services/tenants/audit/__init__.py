"""The audit log: what was done, by whom and from where, in a chain that shows tampering."""
