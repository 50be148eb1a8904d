"""What the vault promises to the keyvault service, shown on a real OpenBao."""
