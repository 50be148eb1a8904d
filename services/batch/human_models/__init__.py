"""People whom a tenant shows its garments on: their photos, their consent, and who may use them when."""
