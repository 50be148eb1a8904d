"""Faults planted one by one into good results: what the verdict's limits are set by and held against.

`python -m training.faults` prints how often each fault is found, and how often a good result is doubted.
"""
