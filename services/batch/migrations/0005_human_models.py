"""Human models: who may be shown, with what consent, and where the torso is. The photo is an object."""

from libs.common.db.schema import execute, tenant_walls

revision = "0005"
down_revision = "0004"

TABLES = """
create table batch.human_models (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    name text not null,
    status text not null default 'checking' check (status in ('checking', 'ready', 'refused')),
    refusal jsonb,
    upload_key text not null,
    media_type text,
    width integer,
    height integer,
    size bigint,
    sha256 text collate "C",
    torso jsonb,
    consent jsonb not null,
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    check ((status = 'ready') = (sha256 is not null)),
    check ((status = 'refused') = (refusal is not null))
);
comment on column batch.human_models.upload_key is 'the photo as it was sent; gone once it has been checked';
create index human_models_by_age on batch.human_models (tenant_id, created_at desc, id desc);
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("batch", "human_models")


def downgrade() -> None:
    execute("drop table batch.human_models")
