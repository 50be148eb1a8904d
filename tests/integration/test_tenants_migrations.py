"""Tenants of an older version are still there in a newer one, and can be found in it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from alembic import command

from libs.common.contracts.access import DEFAULT_KEY_PERMISSIONS
from libs.common.contracts.ids import TenantId
from libs.common.contracts.tenants import ListApiKeys, ListTenants
from libs.common.db.migrate import _alembic
from services.tenants.keys import ApiKeys
from services.tenants.service import TenantsService
from tests.servers.databases import TestDatabase

TENANT = TenantId.new()
OLD = f"""
insert into tenants.tenants (tenant_id, name, weight) values ('{TENANT}', 'Étoile GROSSE STRASSE', 3);
insert into tenants.api_keys (tenant_id, id, mode, public_id, sha256, label)
values ('{TENANT}', 'key_01hzy3k5v7m9q2w4x6z8b0c1d3', 'live', 'abc', 'def', 'till');
"""
FORCED = """
select bool_and(relforcerowsecurity) from pg_class
where relnamespace = 'tenants'::regnamespace and relkind = 'r'
"""


@pytest.fixture
def connection(database: TestDatabase) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        yield connection


async def test_a_tenant_of_the_first_plans_is_found_by_its_name_and_has_its_keys(
    database: TestDatabase, connection: psycopg.Connection
) -> None:
    """The walls stand while rows are in the tables, and stand again afterwards; the way back is open too."""
    alembic = _alembic(database.admin_url, "tenants")
    command.downgrade(alembic, "0002")
    connection.execute(OLD)
    command.upgrade(alembic, "head")
    assert connection.execute(FORCED).fetchone() == (True,)
    tenants = database.of("tenants")
    await tenants.start()
    try:
        found = await TenantsService(tenants).list_tenants(ListTenants(name_prefix="étoile große"))
        assert [(one.id, one.weight, one.status) for one in found.items] == [(TENANT, 3, "active")]
        [key] = (await ApiKeys(tenants).list_all(ListApiKeys(), TENANT)).items
        assert set(key.scopes) == DEFAULT_KEY_PERMISSIONS
    finally:
        await tenants.close()
    command.downgrade(alembic, "0002")
    assert connection.execute("select name from tenants.tenants").fetchone() == ("Étoile GROSSE STRASSE",)
    command.upgrade(alembic, "head")
    assert connection.execute(FORCED).fetchone() == (True,)
