"""Renders from a generative model's drawing, of which nothing covers what was visible in the photo."""
