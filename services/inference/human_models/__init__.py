"""Photos of people whom garments are shown on: looked at, and kept at hand while they are used."""
