"""What a redelivered chunk has to know of its images."""

from alembic import op

from libs.common.db.schema import execute, outbox_and_inbox, tenant_walls

revision = "0001"
down_revision = None

TABLES = """
create table inference.attempts (
    tenant_id text collate "C" not null,
    chunk_id text collate "C" not null,
    image_id text collate "C" not null,
    deaths integer not null default 1,
    outcome jsonb,
    updated_at timestamptz not null default now(),
    primary key (tenant_id, chunk_id, image_id)
);
comment on column inference.attempts.deaths is 'workers that ended while they had this image in hand';
"""


def upgrade() -> None:
    execute(TABLES)
    tenant_walls("inference", "attempts")
    outbox_and_inbox("inference")


def downgrade() -> None:
    for table in ("attempts", "outbox", "inbox"):
        op.drop_table(table, schema="inference")
