"""The built-in model: procedural photos, a small network, its training, export and scores."""
