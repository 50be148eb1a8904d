"""The tenants service: `python -m services.tenants.main`."""

from libs.common.lifecycle import serve
from services.tenants.settings import TenantsSettings
from services.tenants.wiring import wire


def main() -> None:
    serve("tenants", TenantsSettings, wire)


if __name__ == "__main__":
    main()
