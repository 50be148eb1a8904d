"""Databases for the tests: migrated once, copied for each module that asks for one."""

from __future__ import annotations

from dataclasses import dataclass

import psycopg
from psycopg import sql
from pydantic import SecretStr

from deploy.local.environment import login_roles
from deploy.local.servers.postgres import DATABASE, SUPERUSER, Postgres
from libs.common.db import Database

PASSWORDS = {role: f"{role}-password" for role in login_roles()}


@dataclass(frozen=True)
class TestDatabase:
    """A database of the cluster with the whole schema and no rows."""

    __test__ = False
    server: Postgres
    name: str
    password: SecretStr

    @property
    def admin_url(self) -> str:
        return self.server.url_for(SUPERUSER, self.password, self.name)

    def url(self, role: str) -> SecretStr:
        """The URL of a login role."""
        return SecretStr(self.server.url_for(role, SecretStr(PASSWORDS[role]), self.name))

    def of(self, service: str) -> Database:
        """A service's database, not started yet."""
        return Database(self.url(service), self.url(f"{service}_platform"), schema=service)


def copy(server: Postgres, password: SecretStr, name: str) -> TestDatabase:
    """A fresh copy of the migrated database."""
    with psycopg.connect(server.url_for(SUPERUSER, password, "postgres"), autocommit=True) as connection:
        connection.execute(
            sql.SQL("create database {} template {}").format(sql.Identifier(name), sql.Identifier(DATABASE))
        )
    return TestDatabase(server, name, password)
