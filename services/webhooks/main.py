"""The webhooks service: `python -m services.webhooks.main`."""

from libs.common.lifecycle import serve
from services.webhooks.settings import WebhooksSettings
from services.webhooks.wiring import wire


def main() -> None:
    serve("webhooks", WebhooksSettings, wire)


if __name__ == "__main__":
    main()
