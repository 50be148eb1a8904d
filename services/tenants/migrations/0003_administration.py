"""Plans as data, the standing of a tenant, and what a key may, from where and until when."""

from alembic import op

from libs.common.db.schema import execute, platform_walls, tenant_walls

revision = "0003"
down_revision = "0002"

PLANS = """
create table tenants.plans (
    code text collate "C" primary key,
    description text not null,
    terms jsonb not null,
    revision integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    retired_at timestamptz
);
comment on column tenants.plans.terms is 'a Plan: entitlements, weight, quotas, prices';

insert into tenants.plans (code, description, terms) values
('saas', 'Everything on the platform''s own GPUs, by the image.', '{
    "name": "saas", "byok": false, "fallback": false, "fallback_monthly_cap": null, "human_models": false,
    "custom_models": false, "white_label": false, "sso": false, "weight": 1,
    "quotas": {"images_month": 10000, "concurrent_items": 128, "archive_bytes": 4294967296,
        "archive_items": 2000, "retention_days": 30, "members": 10},
    "prices": {"monthly": "49", "image_platform": "0.12", "image_own_key": "0", "image_fallback": "0"}
}'),
('enterprise', 'Keys, models and looks of one''s own, and single sign-on.', '{
    "name": "enterprise", "byok": true, "fallback": true, "fallback_monthly_cap": null, "human_models": true,
    "custom_models": true, "white_label": true, "sso": true, "weight": 4,
    "quotas": {"images_month": null, "concurrent_items": 1024, "archive_bytes": null, "archive_items": null,
        "retention_days": 365, "members": null},
    "prices": {"monthly": "990", "image_platform": "0.08", "image_own_key": "0.02", "image_fallback": "0.10"}
}');
"""

TENANTS = """
alter table tenants.tenants
    add column name_folded text collate "C",
    add column slug text collate "C",
    add column plan_code text collate "C" references tenants.plans (code),
    add column plan_overrides jsonb not null default '{}',
    add column plan_definition integer not null default 0,
    add column status text collate "C" not null default 'active'
        check (status in ('active', 'suspended', 'erasing')),
    add column status_reason text,
    add column status_since timestamptz,
    add column status_revision integer not null default 0,
    add column contact_email text,
    add column created_by text collate "C";
comment on column tenants.tenants.name_folded is
    'to search by: folded by the program, as the database folds no more than its locale knows';
comment on column tenants.tenants.plan is 'what holds: the plan''s terms with the overrides';
comment on column tenants.tenants.plan_definition is 'revision of the plan that `plan` was made of';
create index tenants_plan on tenants.tenants (plan_code, plan_definition) where plan_code is not null;

create table tenants.slug_claims (
    tenant_id text collate "C" not null unique references tenants.tenants (tenant_id) on delete cascade,
    slug text collate "C" primary key
);
comment on table tenants.slug_claims is 'the same as tenants.slug: unique over what no tenant may see';
"""

EVERY_NAME_IS_FOLDED = "alter table tenants.tenants alter column name_folded set not null"

KEYS = """
alter table tenants.api_keys
    add column scopes text[] not null default array[
        'branding:read', 'credentials:read', 'credentials:write', 'custom_models:read',
        'custom_models:write', 'human_models:read', 'human_models:write', 'images:read', 'images:write',
        'routing:read', 'routing:write', 'tenant:read', 'usage:read', 'webhooks:read', 'webhooks:write'
    ],
    add column expires_at timestamptz,
    add column allowed_ips text[] not null default '{}',
    add column last_used_at timestamptz,
    add column replaced_by text collate "C",
    add column created_by text collate "C",
    add column revision integer not null default 0,
    add foreign key (tenant_id, replaced_by) references tenants.api_keys (tenant_id, id);
alter table tenants.api_keys alter column scopes drop default;
comment on column tenants.api_keys.revision is 'of what is told of the key after its issue';
"""


def upgrade() -> None:
    execute(PLANS)
    platform_walls("tenants", "plans")
    execute(TENANTS)
    _fold_names()
    execute(EVERY_NAME_IS_FOLDED)
    tenant_walls("tenants", "slug_claims")
    execute(KEYS)


def _fold_names() -> None:
    """The owner of the table is no tenant: with forced row-level security it would find no row to update."""
    rows = op.get_bind()
    execute("alter table tenants.tenants no force row level security")
    for tenant, name in rows.exec_driver_sql("select tenant_id, name from tenants.tenants").all():
        rows.exec_driver_sql(
            "update tenants.tenants set name_folded = %s where tenant_id = %s", (name.casefold(), tenant)
        )
    execute("alter table tenants.tenants force row level security")


def downgrade() -> None:
    for column in (
        *("scopes", "expires_at", "allowed_ips", "last_used_at", "replaced_by", "created_by", "revision"),
    ):
        op.drop_column("api_keys", column, schema="tenants")
    op.drop_table("slug_claims", schema="tenants")
    for column in (
        *("name_folded", "slug", "plan_code", "plan_overrides", "plan_definition", "status", "status_reason"),
        *("status_since", "status_revision", "contact_email", "created_by"),
    ):
        op.drop_column("tenants", column, schema="tenants")
    op.drop_table("plans", schema="tenants")
