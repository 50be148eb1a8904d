"""The gateway: `python -m services.gateway.main`."""

from libs.common.lifecycle import serve
from services.gateway.settings import GatewaySettings
from services.gateway.wiring import wire


def main() -> None:
    serve("gateway", GatewaySettings, wire)


if __name__ == "__main__":
    main()
