"""Whose brand is shown where."""
