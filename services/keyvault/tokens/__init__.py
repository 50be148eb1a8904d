"""Access tokens: signed with a key that never leaves the vault, and the public half of it for everybody."""
