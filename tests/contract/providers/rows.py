"""Every provider that the suite runs on: one line each."""

from __future__ import annotations

from tests.contract.providers import google_rows, mlserver_rows, moto_rows, onnx_rows, photoroom_rows

ROWS = (
    mlserver_rows.HTTP,
    mlserver_rows.GRPC,
    moto_rows.SAGEMAKER,
    google_rows.VERTEX,
    google_rows.GEMINI,
    photoroom_rows.GHOST,
    onnx_rows.PLATFORM,
)
