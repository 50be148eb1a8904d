"""A page and a contact sheet of what the engine makes of photos, for eyes."""
