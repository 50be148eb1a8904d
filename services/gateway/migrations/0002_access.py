"""What a key may, from where and until when; how tenants stand; and what was revoked before its time."""

from alembic import op

from libs.common.db.schema import execute, tenant_walls

revision = "0002"
down_revision = "0001"

KEYS = """
alter table gateway.api_keys
    add column scopes text[],
    add column expires_at timestamptz,
    add column allowed_ips text[] not null default '{}',
    add column revision integer not null default -1;
comment on column gateway.api_keys.scopes is 'null: issued before keys had scopes of their own';
comment on column gateway.api_keys.revision is 'of the terms; -1 while none are known';
"""

STANDING = """
create table gateway.tenant_standing (
    tenant_id text collate "C" primary key,
    status text collate "C" not null check (status in ('active', 'suspended', 'erasing')),
    revision integer not null,
    changed_by bigint not null default (pg_current_xact_id()::text)::bigint
);
create index tenant_standing_changed_by on gateway.tenant_standing (changed_by);
comment on column gateway.tenant_standing.changed_by is 'transaction id: what a replica reads on from';

create table gateway.revocations (
    id bigint generated always as identity primary key,
    tenant_id text collate "C",
    kind text collate "C" not null check (kind in ('token', 'session', 'subject')),
    name text collate "C" not null,
    before timestamptz not null,
    until timestamptz not null,
    changed_by bigint not null default (pg_current_xact_id()::text)::bigint
);
create index revocations_changed_by on gateway.revocations (changed_by);
create index revocations_until on gateway.revocations (until);
comment on column gateway.revocations.tenant_id is 'null: of the platform''s own people';
comment on column gateway.revocations.until is 'when the last of the tokens has died by itself';
"""


def upgrade() -> None:
    execute(KEYS)
    execute(STANDING)
    tenant_walls("gateway", "tenant_standing", "revocations")


def downgrade() -> None:
    for table in ("tenant_standing", "revocations"):
        op.drop_table(table, schema="gateway")
    for column in ("scopes", "expires_at", "allowed_ips", "revision"):
        op.drop_column("api_keys", column, schema="gateway")
