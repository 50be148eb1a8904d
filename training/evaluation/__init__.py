"""What a model and the pipeline behind it are worth, on photos with a known truth that it never saw."""
