"""Real servers for the tests, on free ports and with data of their own."""
