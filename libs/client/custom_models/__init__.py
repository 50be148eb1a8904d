"""ONNX models of your own: the part of the SDK behind `client.custom_models`."""
