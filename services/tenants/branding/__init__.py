"""A tenant's own brand: its look, its pictures and its hosts."""
