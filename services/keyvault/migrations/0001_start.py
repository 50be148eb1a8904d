"""Credentials (ciphertext alone), their health, the leases on them, and the audit of all that."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table keyvault.plans (
    tenant_id text collate "C" primary key,
    byok boolean not null,
    revision integer not null
);

create table keyvault.credentials (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    provider text not null,
    label text not null,
    enabled boolean not null default true,
    deleted_at timestamptz,
    version integer not null default 1,
    revision integer not null default 1,
    settings jsonb not null default '{}',
    priority integer not null default 0,
    monthly_cap numeric(18, 6),
    regions text[] not null default '{}',
    models text[] not null default '{}',
    expires_at timestamptz,
    health text not null default 'unverified'
        check (health in ('unverified', 'healthy', 'degraded', 'failed', 'recovered')),
    health_since timestamptz not null default now(),
    health_code text,
    health_detail text not null default '',
    checked_at timestamptz,
    good_in_a_row integer not null default 0,
    bad_in_a_row integer not null default 0,
    first_fault_at timestamptz,
    next_probe_at timestamptz,
    warned jsonb not null default '{}',
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
create index credentials_to_probe on keyvault.credentials (next_probe_at)
    where deleted_at is null and enabled;
comment on column keyvault.credentials.good_in_a_row is 'observations without a fault since the last one';
comment on column keyvault.credentials.warned is 'ends that the owner was warned of, by subject';

create table keyvault.secrets (
    tenant_id text collate "C" not null,
    credential_id text collate "C" not null,
    version integer not null,
    status text not null check (status in ('pending', 'current', 'previous', 'gone')),
    ciphertext text,
    key_version integer not null,
    settings jsonb not null default '{}',
    last_four text not null,
    fingerprint text not null,
    until timestamptz,
    created_at timestamptz not null default now(),
    primary key (tenant_id, credential_id, version),
    foreign key (tenant_id, credential_id) references keyvault.credentials (tenant_id, id) on delete cascade,
    check ((status = 'gone') = (ciphertext is null))
);
create index secrets_to_rewrap on keyvault.secrets (tenant_id, key_version) where ciphertext is not null;
comment on column keyvault.secrets.key_version is 'of the transit key that the ciphertext is under';
comment on column keyvault.secrets.until is 'when a previous secret goes, or a pending one is given up';

create table keyvault.probes (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    credential_id text collate "C" not null,
    version integer not null,
    asked_at timestamptz not null default now(),
    expires_at timestamptz not null,
    answered_at timestamptz,
    fault_code text,
    fault_detail text,
    primary key (tenant_id, id),
    foreign key (tenant_id, credential_id) references keyvault.credentials (tenant_id, id) on delete cascade
);
create index probes_by_credential on keyvault.probes (tenant_id, credential_id, asked_at);

create table keyvault.leases (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    credential_id text collate "C" not null,
    version integer not null,
    purpose text not null check (purpose in ('render', 'probe')),
    batch_id text collate "C",
    probe_id text collate "C",
    worker text not null,
    renews text collate "C",
    issued_at timestamptz not null default now(),
    expires_at timestamptz not null,
    revoked_at timestamptz,
    primary key (tenant_id, id)
);
create index leases_by_credential on keyvault.leases (tenant_id, credential_id, expires_at);
create index leases_by_batch on keyvault.leases (tenant_id, batch_id) where batch_id is not null;

create table keyvault.audit (
    tenant_id text collate "C" not null,
    id bigint generated always as identity,
    at timestamptz not null default now(),
    action text not null,
    subject text not null,
    actor text not null default '',
    detail jsonb not null default '{}',
    primary key (tenant_id, id)
);

create table keyvault.rotations (
    tenant_id text collate "C" primary key,
    key_version integer not null,
    minimum_version integer not null,
    started_at timestamptz not null default now(),
    ended_at timestamptz
);

create table keyvault.erasures (
    tenant_id text collate "C" not null,
    id bigint generated always as identity,
    statement text not null,
    signature text not null,
    public_key text not null,
    erased_at timestamptz not null default now(),
    backups_expire_at timestamptz not null,
    primary key (tenant_id, id)
);
"""
NAMES = ("plans", "credentials", "secrets", "probes", "leases", "audit", "rotations", "erasures")


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("keyvault", *NAMES)
    for role in ("keyvault", "keyvault_platform"):
        execute(f"revoke update, delete on keyvault.audit, keyvault.erasures from {role}")
    outbox_and_inbox("keyvault")


def downgrade() -> None:
    for table in (*reversed(NAMES), "outbox", "inbox"):
        op.drop_table(table, schema="keyvault")
