"""Whatever the bytes are: a picture, or a refusal by name; in bounded time and memory."""
