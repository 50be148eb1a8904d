"""What happens around every handler, one file each. The order is in `connect.py`."""
