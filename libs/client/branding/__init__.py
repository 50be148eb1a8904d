"""A brand of your own: its look, its pictures and its hosts."""
