"""A garment on a person: torso, fit, light, what stays in front, and what is thought of it."""
