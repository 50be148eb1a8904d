"""Whose key pays: policies, plans, credentials as the vault tells of them, spending, and full charges."""

from libs.common.db.schema import execute, tenant_walls

revision = "0003"
down_revision = "0002"

TABLES = """
create table batch.routing (
    tenant_id text collate "C" primary key,
    policy text not null default 'platform'
        check (policy in ('platform', 'byok_only', 'byok_then_platform')),
    when_unavailable text not null default 'wait' check (when_unavailable in ('wait', 'fail')),
    fallback_monthly_cap numeric(18, 6) check (fallback_monthly_cap >= 0),
    updated_at timestamptz,
    plan jsonb,
    plan_revision integer not null default -1,
    look_at timestamptz
);
comment on column batch.routing.look_at is 'when the tenant''s parked images are to be looked at again';
create index routing_to_look_at on batch.routing (look_at) where look_at is not null;

create table batch.credentials (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    revision integer not null,
    version integer not null,
    credential jsonb not null,
    strikes integer not null default 0,
    paused_until timestamptz,
    fault jsonb,
    renewed_at timestamptz not null default now(),
    primary key (tenant_id, id)
);
comment on column batch.credentials.strikes is 'pauses in a row without a success between';
comment on column batch.credentials.renewed_at is 'faults of images on it before this no longer count';

create table batch.spend (
    tenant_id text collate "C" not null,
    account text collate "C" not null,
    month date not null,
    images integer not null default 0,
    reserved numeric(18, 6) not null default 0,
    charged numeric(18, 6) not null default 0,
    told boolean not null default false,
    primary key (tenant_id, account, month)
);
comment on column batch.spend.account is 'a credential, or `fallback`';
comment on column batch.spend.month is 'that of the release: a cap holds what was let go under it';

alter table batch.images
    add column route jsonb,
    add column credential_id text collate "C",
    add column credential_version integer,
    add column account text collate "C",
    add column reserved numeric(18, 6),
    add column month date,
    add column parked text,
    add column faults jsonb,
    add column faulted_at timestamptz;
comment on column batch.images.parked is 'why no route may take the waiting image now';
comment on column batch.images.faults is 'how often each version of a credential failed the image';
drop index batch.images_waiting;
create index images_waiting on batch.images (tenant_id, batch_id, position)
    where status = 'waiting' and duplicate_of is null and parked is null;
create index images_parked on batch.images (tenant_id, batch_id, position) where parked is not null;
create index images_rendering_on on batch.images (tenant_id, batch_id, credential_id)
    where status = 'rendering' and credential_id is not null;

alter table batch.batches add column parked integer not null default 0 check (parked >= 0);
create index batches_parked on batch.batches (tenant_id, id) where parked > 0;

alter table batch.charges
    add column provider text not null default 'onnx',
    add column payer text not null default 'platform' check (payer in ('tenant', 'platform')),
    add column credential_id text collate "C",
    add column credential_version integer,
    add column fallback boolean not null default false,
    add column reason text not null default 'charged before routes were kept',
    add column compute_ms integer,
    add column price_table text not null default '',
    add column cost numeric(18, 6) not null default 0,
    add column platform_cost numeric(18, 6) not null default 0,
    add constraint charges_credential_check check ((payer = 'tenant') = (credential_id is not null));
alter table batch.charges
    alter column provider drop default,
    alter column payer drop default,
    alter column reason drop default,
    alter column price_table drop default,
    alter column cost drop default,
    alter column platform_cost drop default;
create index charges_by_day on batch.charges (tenant_id, charged_at);
revoke update, delete on batch.charges from batch, batch_platform;
"""

NO_TABLES = """
grant update, delete on batch.charges to batch_platform;
drop index batch.charges_by_day;
alter table batch.charges
    drop column provider, drop column payer, drop column credential_id, drop column credential_version,
    drop column fallback, drop column reason, drop column compute_ms, drop column price_table,
    drop column cost, drop column platform_cost;
drop index batch.batches_parked;
alter table batch.batches no force row level security;
update batch.batches set ready = ready + parked where parked > 0;
alter table batch.batches force row level security;
alter table batch.batches drop column parked;
drop index batch.images_rendering_on, batch.images_parked, batch.images_waiting;
alter table batch.images
    drop column route, drop column credential_id, drop column credential_version, drop column account,
    drop column reserved, drop column month, drop column parked, drop column faults, drop column faulted_at;
create index images_waiting on batch.images (tenant_id, batch_id, position)
    where status = 'waiting' and duplicate_of is null;
drop table batch.spend, batch.credentials, batch.routing;
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("batch", "routing", "credentials", "spend")


def downgrade() -> None:
    execute(NO_TABLES)
