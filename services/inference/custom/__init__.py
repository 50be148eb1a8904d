"""ONNX models of tenants: checked in a sandbox, kept by their SHA-256, tried out on a share, rolled back."""
