"""The engine without a server: `mannequin engine …`, for people who tune or debug it."""
