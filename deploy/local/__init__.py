"""The whole system on one machine: servers and services as child processes under one supervisor."""
