"""The keyvault service: `python -m services.keyvault.main`."""

from libs.common.lifecycle import serve
from services.keyvault.settings import KeyvaultSettings
from services.keyvault.wiring import wire


def main() -> None:
    serve("keyvault", KeyvaultSettings, wire)


if __name__ == "__main__":
    main()
