"""The servers that the system stands on, one file each, run as child processes on loopback ports."""
