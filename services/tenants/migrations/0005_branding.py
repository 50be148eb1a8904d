"""How a tenant's brand looks, and the hosts that are its own."""

from alembic import op

from libs.common.db.schema import execute, tenant_walls

revision = "0005"
down_revision = "0004"

TABLES = """
create table tenants.brands (
    tenant_id text collate "C" primary key references tenants.tenants (tenant_id) on delete cascade,
    display_name text not null,
    colours jsonb,
    support_link text,
    sender_name text,
    language text not null default 'en' check (language in ('en', 'ar')),
    logo jsonb,
    favicon jsonb,
    touch_icon jsonb,
    favicon_uploaded boolean not null default false,
    revision integer not null default 0,
    updated_at timestamptz
);
comment on column tenants.brands.colours is 'null: the defaults';

create table tenants.domains (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    id text collate "C" not null,
    host text collate "C" not null,
    token text collate "C" not null,
    status text collate "C" not null default 'pending' check (status in ('pending', 'verified', 'failing')),
    fault text collate "C",
    failures integer not null default 0,
    created_at timestamptz not null default now(),
    verified_at timestamptz,
    checked_at timestamptz,
    next_check_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, host)
);
create index domains_due on tenants.domains (next_check_at) where status <> 'pending';

create table tenants.domain_claims (
    tenant_id text collate "C" not null,
    host text collate "C" primary key,
    domain_id text collate "C" not null,
    foreign key (tenant_id, domain_id) references tenants.domains (tenant_id, id) on delete cascade
);
create index domain_claims_domain on tenants.domain_claims (tenant_id, domain_id);
comment on table tenants.domain_claims is 'hosts that are verified now: of one tenant each';
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("tenants", "brands", "domains", "domain_claims")


def downgrade() -> None:
    for table in ("domain_claims", "domains", "brands"):
        op.drop_table(table, schema="tenants")
