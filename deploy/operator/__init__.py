"""What the platform's own people do at a command line."""
