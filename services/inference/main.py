"""The inference service: `python -m services.inference.main`."""

from libs.common.lifecycle import serve
from services.inference.settings import InferenceSettings
from services.inference.wiring import wire


def main() -> None:
    serve("inference", InferenceSettings, wire)


if __name__ == "__main__":
    main()
