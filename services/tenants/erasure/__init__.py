"""A tenant's end: told to every service, followed until all have done their part, and certified."""
