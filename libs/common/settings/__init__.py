"""Settings come from the environment, are checked at start and never change afterwards.

Shared ones are named `MANNEQUIN_…`, a service's own `<SERVICE>_…`. No secret has a default, and a missing
setting refuses to start with its name.
"""

from libs.common.settings.settings import BusSettings, DatabaseSettings, ServiceSettings, load

__all__ = ["BusSettings", "DatabaseSettings", "ServiceSettings", "load"]
