"""The audit log: a chain of entries a tenant, and one of the platform's own; entries are only ever added."""

from alembic import op

from libs.common.db.schema import execute, platform_walls, tenant_walls

revision = "0006"
down_revision = "0005"

TABLES = """
create table tenants.audit (
    tenant_id text collate "C" not null,
    sequence bigint not null,
    at timestamptz not null,
    action text collate "C" generated always as (body::jsonb ->> 'action') stored,
    actor text collate "C" generated always as (body::jsonb -> 'actor' ->> 'id') stored,
    body text not null,
    hash text collate "C" not null,
    primary key (tenant_id, sequence)
);
comment on column tenants.audit.body is 'canonical JSON of the entry without its hash: what is hashed';
create index audit_at on tenants.audit (tenant_id, at);
create index audit_action on tenants.audit (tenant_id, action, sequence);
create index audit_actor on tenants.audit (tenant_id, actor, sequence);

create table tenants.audit_heads (
    tenant_id text collate "C" primary key,
    sequence bigint not null,
    hash text collate "C" not null
);

create table tenants.platform_audit (
    sequence bigint primary key,
    at timestamptz not null,
    action text collate "C" generated always as (body::jsonb ->> 'action') stored,
    actor text collate "C" generated always as (body::jsonb -> 'actor' ->> 'id') stored,
    body text not null,
    hash text collate "C" not null
);
create table tenants.platform_audit_head (
    one boolean primary key default true check (one),
    sequence bigint not null,
    hash text collate "C" not null
);
revoke update, delete on tenants.audit, tenants.platform_audit from tenants, tenants_platform;
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("tenants", "audit", "audit_heads")
    platform_walls("tenants", "platform_audit", "platform_audit_head")


def downgrade() -> None:
    for table in ("audit", "audit_heads", "platform_audit", "platform_audit_head"):
        op.drop_table(table, schema="tenants")
