"""ONNX models of tenants, which version of them serves, and who may have any."""

from alembic import op

from libs.common.db.schema import execute, tenant_walls

revision = "0002"
down_revision = "0001"

TABLES = """
create table inference.plans (
    tenant_id text collate "C" primary key,
    custom_models boolean not null,
    revision integer not null
);

create table inference.custom_models (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    name text collate "C" not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    unique (tenant_id, name)
);

create table inference.model_versions (
    tenant_id text collate "C" not null,
    sha256 text collate "C" not null,
    model_id text collate "C" not null,
    key text not null,
    size bigint not null,
    card jsonb not null,
    status text not null default 'checking' check (status in ('checking', 'ready', 'refused')),
    opset integer,
    run_ms integer,
    memory_mib integer,
    reason text,
    created_at timestamptz not null default now(),
    primary key (tenant_id, sha256),
    foreign key (tenant_id, model_id) references inference.custom_models (tenant_id, id) on delete cascade
);
create index model_versions_of on inference.model_versions (tenant_id, model_id, created_at);

create table inference.rollouts (
    tenant_id text collate "C" primary key,
    live text collate "C",
    canary text collate "C",
    canary_share double precision not null default 0 check (canary_share between 0 and 1),
    previous text collate "C"
);
"""
NAMES = ("plans", "custom_models", "model_versions", "rollouts")


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("inference", *NAMES)


def downgrade() -> None:
    for table in reversed(NAMES):
        op.drop_table(table, schema="inference")
