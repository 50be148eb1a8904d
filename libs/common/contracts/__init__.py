"""What services say to each other. Imports nothing else of the project."""
