"""The walls between tenants, as the live database's own catalogue tells of them."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest

from libs.common.db.migrate import SERVICES, roles
from tests.servers.databases import TestDatabase

TABLES = """
select n.nspname as schema, c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
       pg_get_userbyid(c.relowner) as owner,
       exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'tenant_id') as of_tenants,
       array(select p.polname || ':' || array_to_string(p.polroles::regrole[], ',')
             from pg_policy p
             where p.polrelid = c.oid and p.polqual is not null and p.polwithcheck is not null) as policies
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and n.nspname = any(%s)
order by 1, 2
"""
OF_THE_PLATFORM = {
    *(f"{service}.erased" for service in SERVICES),
    "tenants.erasures",
    "tenants.plans",
    "tenants.platform_audit",
    "tenants.platform_audit_head",
    "tenants.login_failures",
    "tenants.staff",
    "tenants.staff_recovery_codes",
    "tenants.staff_sessions",
}
"""Tables of no tenant: what stands there belongs to the platform."""
ROLES = """
select rolname, rolsuper, rolbypassrls, rolcreaterole,
       array(select pg_get_userbyid(m.roleid) from pg_auth_members m where m.member = r.oid) as member_of
from pg_roles r where rolname = any(%s)
"""
GRANTS = """
select grantee, table_schema, table_name from information_schema.table_privileges
where grantee = any(%s) and table_schema not in ('pg_catalog', 'information_schema')
"""


@pytest.fixture(scope="module")
def catalogue(database: TestDatabase) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    with psycopg.connect(database.admin_url) as connection:
        yield connection


def test_every_table_is_walled(catalogue: psycopg.Connection[tuple[object, ...]]) -> None:
    """Each has forced row-level security. One with a tenant_id has a policy for each of its service's roles,
    and shows its owner what is being erased alone; of one without, which is the platform's own and named
    here, tenants' transactions see nothing, or may read at most.
    """
    tables = catalogue.execute(TABLES, [list(SERVICES)]).fetchall()
    assert len(tables) > len(SERVICES)
    for schema, name, enabled, forced, owner, of_tenants, policies in tables:
        where = f"{schema}.{name}"
        assert of_tenants or where in OF_THE_PLATFORM, f"{where} has no tenant_id"
        assert enabled, f"{where} has no row-level security"
        assert forced, f"{where} does not force it"
        assert owner == "mannequin_owner", f"{where} belongs to {owner}"
        wanted = {f"tenant:{schema}", f"platform:{schema}_platform", "erasure:mannequin_owner"}
        if not of_tenants:
            wanted = {f"platform:{schema}_platform"}
            if name == "erased":
                wanted.add("erasure:mannequin_owner")
        assert set(policies) == wanted, f"{where}: {policies}"  # type: ignore[call-overload]


def test_no_login_role_is_above_the_walls(catalogue: psycopg.Connection[tuple[object, ...]]) -> None:
    """None is a superuser, bypasses row-level security, makes roles, or may become another role."""
    found = catalogue.execute(ROLES, [list(roles())]).fetchall()
    assert len(found) == len(roles())
    for name, superuser, bypasses, creates, member_of in found:
        assert (superuser, bypasses, creates, member_of) == (False, False, False, []), name


def test_each_role_sees_its_own_schema_alone(catalogue: psycopg.Connection[tuple[object, ...]]) -> None:
    """A stolen login reads nothing of another service."""
    grants = catalogue.execute(GRANTS, [[*roles(), "PUBLIC"]]).fetchall()
    assert grants
    for role, schema, table in grants:
        assert str(role).removesuffix("_platform") == schema, f"{role} may touch {schema}.{table}"


def test_without_a_tenant_a_login_sees_no_rows(database: TestDatabase) -> None:
    """A connection that forgot to say whose it is gets nothing, not everything."""
    with psycopg.connect(database.admin_url) as admin:
        admin.execute(
            "insert into tenants.tenants (tenant_id, name, name_folded, weight) values ('ten_x', 'x', 'x', 1)"
        )
    for role in ("tenants", "tenants_platform"):
        with psycopg.connect(database.url(role).get_secret_value()) as connection:
            assert connection.execute("select * from tenants.tenants").fetchall() == []


def test_charges_can_not_be_rewritten(database: TestDatabase) -> None:
    """The tenant role of the batch service may add charges and read them, nothing else."""
    with psycopg.connect(database.url("batch").get_secret_value()) as connection:
        for statement in ("update batch.charges set render_ms = 0", "delete from batch.charges"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
            connection.rollback()
