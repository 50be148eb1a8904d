"""Consistency of a batch: how a garment stands in a picture, and how far it is from the others."""
