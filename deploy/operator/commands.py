"""What operators do (`mannequin tenants …`, `plans`, `keys`, `vault`, …): over the bus, to the services.

The contracts and the broker's client are imported by the commands that need them: help costs nothing.
"""

from __future__ import annotations

import typer

from deploy.operator import erasure
from deploy.operator import staff as people
from deploy.operator.audit import audit
from deploy.operator.keys import keys
from deploy.operator.plans import plans
from deploy.operator.tenants import tenants
from deploy.operator.vault import vault


def register(app: typer.Typer) -> None:
    """Adds the commands to the command line."""
    erasure.add_to(tenants)
    people.add_to(tenants)
    app.add_typer(tenants, name="tenants")
    app.add_typer(plans, name="plans")
    app.add_typer(keys, name="keys")
    app.add_typer(vault, name="vault")
    app.add_typer(audit, name="audit")
    app.add_typer(people.staff, name="staff")
