"""Studio photos that are rendered, not painted: surfaces in depth, and one light for all of them.

`stage` keeps depth, slope, colour and truth of every pixel; bodies, props and garments lay their surfaces on
it, and `light` makes the photo. Lengths are heads: y is 0 at the crown and 1.6 at the shoulders, z grows
towards the camera from the middle of the body.
"""
