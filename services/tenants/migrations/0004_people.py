"""Users of tenants with their sessions, invites and single sign-on; the platform's own people."""

from alembic import op

from libs.common.db.schema import execute, platform_walls, tenant_walls

revision = "0004"
down_revision = "0003"

USERS = """
create table tenants.users (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    id text collate "C" not null,
    email text collate "C" not null,
    name text not null,
    role text collate "C" not null check (role in ('owner', 'admin', 'operator', 'viewer')),
    language text collate "C" not null check (language in ('en', 'ar')),
    state text collate "C" not null default 'active' check (state in ('active', 'disabled')),
    password_hash text,
    totp_ciphertext text,
    totp_active boolean not null default false,
    totp_step bigint not null default 0,
    sso_issuer text collate "C",
    sso_subject text collate "C",
    created_at timestamptz not null default now(),
    last_login_at timestamptz,
    primary key (tenant_id, id),
    unique (tenant_id, email),
    unique (tenant_id, sso_issuer, sso_subject),
    check ((sso_issuer is null) = (sso_subject is null)),
    check (totp_ciphertext is not null or not totp_active)
);
comment on column tenants.users.email is 'normalised, lower case';
comment on column tenants.users.password_hash is 'argon2id; null: the person comes by single sign-on alone';
comment on column tenants.users.totp_ciphertext is 'of the vault, under the tenant''s key';
comment on column tenants.users.totp_step is 'of the last code that was taken: none is taken twice';
create index users_email on tenants.users (email);

create table tenants.recovery_codes (
    tenant_id text collate "C" not null,
    user_id text collate "C" not null,
    sha256 text collate "C" not null,
    primary key (tenant_id, user_id, sha256),
    foreign key (tenant_id, user_id) references tenants.users (tenant_id, id) on delete cascade
);

create table tenants.password_resets (
    tenant_id text collate "C" not null,
    user_id text collate "C" not null,
    sha256 text collate "C" not null,
    expires_at timestamptz not null,
    primary key (tenant_id, user_id),
    foreign key (tenant_id, user_id) references tenants.users (tenant_id, id) on delete cascade
);

create table tenants.sessions (
    tenant_id text collate "C" not null,
    id text collate "C" not null,
    user_id text collate "C" not null,
    method text collate "C" not null check (method in ('password', 'sso', 'invite')),
    sha256 text collate "C" not null,
    previous_sha256 text collate "C",
    seed bytea,
    rotated_at timestamptz not null default now(),
    ip text collate "C",
    user_agent text not null default '',
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, id),
    foreign key (tenant_id, user_id) references tenants.users (tenant_id, id) on delete cascade
);
comment on column tenants.sessions.seed is 'makes the present refresh token out of the one before it';
create index sessions_user on tenants.sessions (tenant_id, user_id, ended_at);
create index sessions_end on tenants.sessions (expires_at);
"""

WAYS_IN = """
create table tenants.invites (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    id text collate "C" not null,
    email text collate "C" not null,
    role text collate "C" not null check (role in ('owner', 'admin', 'operator', 'viewer')),
    language text collate "C" not null check (language in ('en', 'ar')),
    invited_by text collate "C" not null,
    sha256 text collate "C",
    created_at timestamptz not null default now(),
    expires_at timestamptz not null,
    primary key (tenant_id, id),
    unique (tenant_id, email)
);
comment on column tenants.invites.sha256 is 'of the link''s token; null until the letter is sent';

create table tenants.mails (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    id bigint generated always as identity,
    kind text collate "C" not null check (kind in ('invite', 'password_reset')),
    invite_id text collate "C",
    user_id text collate "C",
    attempts integer not null default 0,
    due_at timestamptz not null default now(),
    created_at timestamptz not null default now(),
    primary key (tenant_id, id),
    foreign key (tenant_id, invite_id) references tenants.invites (tenant_id, id) on delete cascade,
    foreign key (tenant_id, user_id) references tenants.users (tenant_id, id) on delete cascade,
    check ((invite_id is null) <> (user_id is null))
);
comment on table tenants.mails is 'letters to be sent: ids alone, as the token is made when one is sent';
create index mails_due on tenants.mails (due_at);

create table tenants.sso (
    tenant_id text collate "C" primary key references tenants.tenants (tenant_id) on delete cascade,
    issuer text collate "C" not null,
    client_id text not null,
    client_secret text not null,
    allowed_domains text[] not null,
    default_role text collate "C" not null check (default_role in ('admin', 'operator', 'viewer')),
    enforce boolean not null,
    updated_at timestamptz not null default now()
);
comment on column tenants.sso.client_secret is 'ciphertext of the vault, under the tenant''s key';

create table tenants.sso_states (
    tenant_id text collate "C" not null references tenants.sso (tenant_id) on delete cascade,
    sha256 text collate "C" not null,
    binding_sha256 text collate "C" not null,
    nonce text not null,
    verifier text not null,
    return_to text not null,
    expires_at timestamptz not null,
    primary key (tenant_id, sha256)
);
create index sso_states_end on tenants.sso_states (expires_at);

create table tenants.impersonations (
    tenant_id text collate "C" not null references tenants.tenants (tenant_id) on delete cascade,
    session_id text collate "C" not null,
    staff_id text collate "C" not null,
    reason text not null,
    role text collate "C" not null check (role in ('admin', 'operator', 'viewer')),
    began_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz,
    primary key (tenant_id, session_id)
);
"""

OF_THE_PLATFORM = """
create table tenants.login_failures (
    key text collate "C" primary key,
    failures integer not null default 0,
    until timestamptz not null default now(),
    at timestamptz not null default now()
);
comment on table tenants.login_failures is 'by hash of an e-mail address, known or not; by address';

create table tenants.staff (
    id text collate "C" primary key,
    email text collate "C" not null unique,
    name text not null,
    role text collate "C" not null check (role in ('platform_admin', 'support', 'finance')),
    state text collate "C" not null default 'active' check (state in ('active', 'disabled')),
    password_hash text not null,
    password_initial boolean not null default true,
    totp_ciphertext text,
    totp_active boolean not null default false,
    totp_step bigint not null default 0,
    created_at timestamptz not null default now(),
    last_login_at timestamptz
);

create table tenants.staff_recovery_codes (
    staff_id text collate "C" not null references tenants.staff (id) on delete cascade,
    sha256 text collate "C" not null,
    primary key (staff_id, sha256)
);

create table tenants.staff_sessions (
    id text collate "C" primary key,
    staff_id text collate "C" not null references tenants.staff (id) on delete cascade,
    sha256 text collate "C" not null,
    previous_sha256 text collate "C",
    seed bytea,
    rotated_at timestamptz not null default now(),
    ip text collate "C",
    user_agent text not null default '',
    created_at timestamptz not null default now(),
    last_used_at timestamptz not null default now(),
    expires_at timestamptz not null,
    ended_at timestamptz
);
"""
TENANTS = (
    "users",
    "recovery_codes",
    "password_resets",
    "sessions",
    "invites",
    "mails",
    "sso",
    "sso_states",
    "impersonations",
)
PLATFORM = ("login_failures", "staff", "staff_recovery_codes", "staff_sessions")


def upgrade() -> None:
    execute(USERS)
    execute(WAYS_IN)
    execute(OF_THE_PLATFORM)
    tenant_walls("tenants", *TENANTS)
    platform_walls("tenants", *PLATFORM)


def downgrade() -> None:
    for table in reversed((*TENANTS, *PLATFORM)):
        op.execute(f"drop table tenants.{table} cascade")
