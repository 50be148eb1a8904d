"""The batch service: `python -m services.batch.main`."""

from libs.common.lifecycle import serve
from services.batch.settings import BatchSettings
from services.batch.wiring import wire


def main() -> None:
    serve("batch", BatchSettings, wire)


if __name__ == "__main__":
    main()
