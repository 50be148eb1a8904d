"""`mannequin staff …`, and `mannequin tenants invite`: the platform's people, and a tenant's first one."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

import typer

from deploy.operator.bus import Tenant, ask, told
from libs.client.cli.session import session, table, when

staff = typer.Typer(help="The platform's own people (operators).", no_args_is_help=True)
_HASHING_S = 20.0


class StaffRole(StrEnum):
    """What one of the platform's people may do."""

    PLATFORM_ADMIN = "platform_admin"
    SUPPORT = "support"
    FINANCE = "finance"


class Role(StrEnum):
    """What a user of a tenant may do."""

    OWNER = "owner"
    ADMIN = "admin"
    OPERATOR = "operator"
    VIEWER = "viewer"


def add_to(tenants: typer.Typer) -> None:
    """Adds `invite` to the commands about tenants."""
    tenants.command("invite")(invite)


@staff.command()
def create(
    context: typer.Context,
    email: Annotated[str, typer.Argument(help="Address to sign in with.", show_default=False)],
    name: Annotated[str, typer.Argument(help="The person's name.", show_default=False)],
    role: Annotated[StaffRole, typer.Option(help="What they may do.")] = StaffRole.PLATFORM_ADMIN,
) -> None:
    """Add one of the platform's people; prints a password for the first sign-in, this once."""
    here = session(context)
    with told(here):
        from libs.common.contracts import access
        from libs.common.contracts.staff import CreateStaff

        query = CreateStaff(email=email, name=name, role=access.StaffRole(role.value))
        created = ask(query, limit_s=_HASHING_S)
    password = created.password.get_secret_value()
    here.note(f"{created.staff.id}; the first sign-in sets a password of their own and a second factor:")
    here.answer({"staff": created.staff, "password": password}, password)


@staff.command("list")
def list_staff(context: typer.Context) -> None:
    """List the platform's people."""
    here = session(context)
    with told(here):
        from libs.common.contracts.staff import ListStaff

        found = ask(ListStaff())
    rows = ((s.id, s.email, s.name, s.role, s.state, when(s.last_login_at)) for s in found.items)
    here.answer(found, table(("person", "address", "name", "role", "state", "last seen"), rows))


def invite(
    context: typer.Context,
    tenant: Tenant,
    email: Annotated[str, typer.Argument(help="Whom to ask.", show_default=False)],
    role: Annotated[Role, typer.Option(help="As what.")] = Role.OWNER,
    arabic: Annotated[bool, typer.Option("--arabic", help="The letter is in Arabic.")] = False,
) -> None:
    """Invite somebody to a tenant; prints the link where the platform sends no e-mail."""
    here = session(context)
    with told(here):
        from libs.common.contracts import access
        from libs.common.contracts.people import CreateInvite, Language

        query = CreateInvite(
            email=email,
            role=access.Role(role.value),
            language=Language.ARABIC if arabic else Language.ENGLISH,
            within=access.ROLES[access.Role.OWNER],
        )
        created = ask(query, tenant)
    link = created.link.get_secret_value() if created.link else None
    here.note(f"{created.invite.id}, until {when(created.invite.expires_at)}")
    here.answer({"invite": created.invite, "link": link}, link or "a letter is on its way")
