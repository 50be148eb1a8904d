"""What a tenant bought."""

from libs.common.db.schema import execute

revision = "0002"
down_revision = "0001"

COLUMNS = """
alter table tenants.tenants
    add column plan jsonb not null
        default '{"name": "standard", "byok": false, "fallback": false, "fallback_monthly_cap": null}',
    add column plan_revision integer not null default 0;
"""


def upgrade() -> None:
    execute(COLUMNS)


def downgrade() -> None:
    execute("alter table tenants.tenants drop column plan, drop column plan_revision")
