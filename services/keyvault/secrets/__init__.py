"""Small secrets that another service keeps as ciphertext, and the platform's word for a statement."""
