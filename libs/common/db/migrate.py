"""Brings a database to the schema that the code expects: roles, schemas, then each service's migrations.

Alembic runs them (plain SQL inside, see `schema.py`), each service with a version table of its own. The
tables belong to `mannequin_owner`, which nobody logs in as, so that no service can alter its walls.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from pathlib import Path

import psycopg
from alembic import command
from alembic.config import Config
from psycopg import sql

from libs.common.db.schema import OWNER

SERVICES = ("gateway", "tenants", "keyvault", "batch", "inference", "webhooks")
ROOT = Path(__file__).resolve().parents[3]
_LOCK = 7_355_608


def roles() -> tuple[str, ...]:
    """The login roles: two a service, one for tenants' work and one for platform jobs."""
    return tuple(role for service in SERVICES for role in (service, f"{service}_platform"))


async def migrate(admin_url: str, passwords: Mapping[str, str]) -> None:
    """Create or update everything in the database of `admin_url`; safe to run at once from many places.

    passwords: by login role (see `roles`); they are set anew each time.
    """
    await asyncio.to_thread(_migrate, admin_url, passwords)


def _migrate(admin_url: str, passwords: Mapping[str, str]) -> None:
    with psycopg.connect(admin_url, autocommit=True) as connection:
        connection.execute("select pg_advisory_lock(%s)", (_LOCK,))
        _create_owner(connection)
        for service in SERVICES:
            _create_service(connection, service, passwords)
        for service in SERVICES:
            command.upgrade(_alembic(admin_url, service), "head")


def _create_owner(connection: psycopg.Connection) -> None:
    if not _role_exists(connection, OWNER):
        connection.execute(sql.SQL("create role {} nologin").format(sql.Identifier(OWNER)))
    connection.execute(sql.SQL("grant {} to current_user").format(sql.Identifier(OWNER)))
    connection.execute(
        sql.SQL("create schema if not exists migrations authorization {}").format(sql.Identifier(OWNER))
    )


def _create_service(connection: psycopg.Connection, service: str, passwords: Mapping[str, str]) -> None:
    owner, schema = sql.Identifier(OWNER), sql.Identifier(service)
    connection.execute(sql.SQL("create schema if not exists {} authorization {}").format(schema, owner))
    for name in (service, f"{service}_platform"):
        role = sql.Identifier(name)
        verb = "alter" if _role_exists(connection, name) else "create"
        attributes = "login nosuperuser nocreatedb nocreaterole nobypassrls password"
        connection.execute(sql.SQL(f"{verb} role {{}} {attributes} {{}}").format(role, passwords[name]))
        connection.execute(sql.SQL("grant usage on schema {} to {}").format(schema, role))
        for privileges, kind in (("select, insert, update, delete", "tables"), ("usage", "sequences")):
            connection.execute(
                sql.SQL(
                    "alter default privileges for role {} in schema {} "
                    f"grant {privileges} on {kind} to {{}}"
                ).format(owner, schema, role)
            )


def _role_exists(connection: psycopg.Connection, name: str) -> bool:
    return connection.execute("select 1 from pg_roles where rolname = %s", (name,)).fetchone() is not None


def _alembic(admin_url: str, service: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "alembic"))
    config.set_main_option("version_locations", str(ROOT / "services" / service / "migrations"))
    config.set_main_option("path_separator", "os")
    config.attributes.update(url=admin_url, service=service, owner=OWNER)
    return config
