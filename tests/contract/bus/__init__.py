"""What `libs/common/bus/bus.py` promises, checked of every adapter against a real broker."""
