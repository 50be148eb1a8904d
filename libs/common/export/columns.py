"""Which columns leave with an export. One that nobody has classified stays here: it may be a secret.

A test walks the live catalogue and fails on such a column: add its name to PLAIN, or, where it holds a secret
under a name that does not say so, to SECRET.
"""

from __future__ import annotations

LEFT_OUT = frozenset(
    {"inbox", "outbox", "erased", "idempotency", "mails", "password_resets", "recovery_codes", "sso_states"}
)
"""Tables of messages on their way and of what opens a door for minutes: nothing that a tenant gave."""

_SECRET_WORDS = ("cipher", "fingerprint", "hash", "nonce", "secret", "seed", "sha256", "token", "verifier")
SECRET = frozenset({"public_id", "totp_step", "changed_by"})
OPEN = frozenset(
    {
        "batch.human_models.sha256",
        "batch.images.sha256",
        "tenants.audit.hash",
        "tenants.audit_heads.hash",
        "webhooks.endpoints.old_secret_until",
    }
)
"""Named like secrets, and none: checksums of files, the chain of the audit log, the end of a secret."""

_PLAIN = """
    account action actor allowed_domains allowed_ips announced_at answered_at api_key_id archive_key
    archive_size artefacts asked_at at attempts backups_expire_at bad_in_a_row batch_id before began_at
    billable body brand byok canary canary_share cancelled cancelling card charged charged_at checked_at
    chunk_id claimed_until client_id colours completed compute_ms consent contact_email cost created_at
    created_by credential credential_id credential_version custom_models deaths default_role deleted_at
    delivery_id description detail digital_source_type disabled_reason display_name domain_id duplicate_of
    duplicates duration_ms email enabled ended_at endpoint_id enforce entitled erased_at error expired_at
    expires_at failed failure_code failure_detail failures fallback fallback_monthly_cap fault fault_code
    fault_detail faulted_at faults favicon favicon_uploaded findings first_fault_at garment good_in_a_row
    health health_code health_detail health_since height host hosts id image_id images inside invite_id
    invited_by ip issued_at issuer key key_version kind known_since label landmarks language last_four
    last_login_at last_used_at live logo look_at media_type memory_mib method minimum_version mode model
    model_id models month monthly_cap name name_folded next_attempt_at next_check_at next_probe_at note
    number opset options outcome owner paired paired_with parked paused_until payer payload photo
    photo_height photo_width plan plan_code plan_definition plan_overrides plan_revision platform_cost
    policy position preserved_fraction previous previous_until price_table priority probe_id provider
    public_key purpose quotas ready reason reasons refusal refused regions rejected released_at render_ms
    rendering renditions renewed_at renews replaced_by reserved result_key return_to revision revoked_at
    role rotated_at round route run_ms scopes score sender_name sequence session_id settings signature
    size sku slot slug source split_next split_until sso_issuer sso_subject staff_id started_at state
    statement status status_code status_reason status_revision status_since strikes subject submitted_at
    submitted_by support_link synthesized_fraction tenant_id test told torso total totp_active touch_icon
    traceparent type types unsubscribed until updated_at upload_key url user_agent user_id verdict
    verified_at version waiting warned weight when_unavailable width worker
"""
PLAIN = frozenset(_PLAIN.split())


def exported(schema: str, table: str, column: str) -> bool:
    """Whether the column leaves."""
    return f"{schema}.{table}.{column}" in OPEN or (column in PLAIN and not secret(schema, table, column))


def secret(schema: str, table: str, column: str) -> bool:
    """Whether the column is known to hold something that must stay."""
    if f"{schema}.{table}.{column}" in OPEN:
        return False
    return column in SECRET or any(word in column for word in _SECRET_WORDS)


def classified(schema: str, table: str, column: str) -> bool:
    """Whether somebody has thought of the column."""
    return table in LEFT_OUT or secret(schema, table, column) or exported(schema, table, column)
