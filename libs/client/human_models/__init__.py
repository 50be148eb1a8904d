"""People who wear the garments: the part of the SDK behind `client.human_models`."""
