"""What `make run` shows: a batch of sample photos through the whole line, by way of the public API."""
