"""The `mannequin` command line."""
