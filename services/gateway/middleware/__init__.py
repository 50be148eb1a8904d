"""What happens around every request, one file each; `app.py` puts them in order."""
