"""Keys of your own, the routing policy, and what was computed on whose account."""
