"""Every code that a problem or a failure can have: title, and what to do. Also a chapter of `/docs`."""

from __future__ import annotations

from typing import NamedTuple

from services.gateway.people_problems import PEOPLE


class Entry(NamedTuple):
    """`hint` tells the caller what to do."""

    title: str
    hint: str


CATALOGUE: dict[str, Entry] = {
    "invalid": Entry("Invalid value", "Correct the named field and send the request again."),
    "unknown_parameter": Entry("Unknown parameter", "Remove it, or check its spelling against /docs."),
    "malformed_body": Entry("Unreadable body", "Send it as its Content-Type says; see /docs for an example."),
    "invalid_cursor": Entry(
        "Invalid cursor", "Pass on next_cursor as it was given, or begin again without one."
    ),
    "unauthorized": Entry(
        "Unauthorized",
        "Send a key or an access token as 'Authorization: Bearer …', or a key as 'X-API-Key: im_…'.",
    ),
    "key_expired": Entry("API key expired", "Use another key, or issue a new one."),
    "key_revoked": Entry("API key revoked", "Use another key, or issue a new one."),
    "tenant_erased": Entry("Tenant erased", "Nothing can be done any more."),
    "token_invalid": Entry("Invalid access token", "Get a new one from POST /api/v1/auth/token, or sign in."),
    "token_expired": Entry(
        "Access token expired", "Get a new one from POST /api/v1/auth/token, or refresh the session."
    ),
    "token_revoked": Entry("Access token revoked", "Get a new one with a key, or sign in again."),
    "address_not_allowed": Entry(
        "Address not allowed", "Use the key from one of its networks, or have them changed."
    ),
    "csrf": Entry(
        "Cross-site request", "Send it from a page of this host with its Origin header, or use a token."
    ),
    "tenant_suspended": Entry("Tenant suspended", "Write to support; looking at things still works."),
    "forbidden": Entry(
        "Not allowed", "Use a key or a role that has the named permission, or ask an owner for it."
    ),
    "not_found": Entry("Not found", "Check the address, the id, and whose API key is used."),
    "erasure_not_found": Entry("No such erasure", "Check the id: it was in the answer to the request."),
    "not_confirmed": Entry("Not confirmed", "Send the tenant's name as `confirm`, as it stands there."),
    "batch_not_found": Entry(
        "No such batch", "Check the id, and that the key is of the tenant that sent it."
    ),
    "image_not_found": Entry(
        "No such image", "Check the id, and that the key is of the tenant that sent it."
    ),
    "rendition_not_found": Entry(
        "No such rendition", "Ask for one of the image's `renditions`; they are made when it is rendered."
    ),
    "artefact_not_found": Entry(
        "No such artefact",
        "Ask for one of the image's `artefacts`; it has them if artefacts=true was asked.",
    ),
    "webhook_endpoint_not_found": Entry(
        "No such webhook endpoint", "List the endpoints to see which there are."
    ),
    "webhook_delivery_not_found": Entry("No such delivery", "List the endpoint's deliveries."),
    "method_not_allowed": Entry("Method not allowed", "Use one of the methods in the Allow header."),
    "conflict": Entry("Conflict", "Look at the state of the thing, then decide anew."),
    "idempotency_in_progress": Entry(
        "The same request is under way", "Send it again in a moment to get its answer."
    ),
    "idempotency_key_reused": Entry(
        "Idempotency key used before", "Take a new key for a new request; repeat a request with its own body."
    ),
    "batch_ended": Entry("The batch has ended", "There is nothing left to cancel."),
    "batch_not_ended": Entry("The batch has not ended", "Follow /events, then ask again."),
    "batch_still_running": Entry("The batch still runs", "Follow /events, then retry what failed."),
    "nothing_to_retry": Entry(
        "Nothing failed", "Only failed images can be retried; refused ones need a fix."
    ),
    "image_not_completed": Entry("No result yet", "Follow the image, then ask for its result."),
    "too_many_webhook_endpoints": Entry("Too many webhook endpoints", "Delete one that is no longer needed."),
    "webhook_endpoint_disabled": Entry(
        "Webhook endpoint disabled", "Delete it, and register the URL again when it is back."
    ),
    "webhook_types_missing": Entry("No event type", "Name one at least, or leave types out."),
    "webhook_url_refused": Entry("Webhook URL refused", "Give an https URL that leads to a public address."),
    "tenant_not_found": Entry("No such tenant", "Check the id; it may have been erased."),
    "tenant_erasing": Entry("The tenant is being erased", "Nothing of it can be changed any more."),
    "api_key_not_found": Entry("No such API key", "List the keys to see which there are."),
    "api_key_ended": Entry("The API key has ended", "Issue another one."),
    "api_key_replaced": Entry("Rotated before", "Rotate the key that took its place: `replaced_by`."),
    "too_many_api_keys": Entry("Too many API keys", "Revoke one that is no longer needed."),
    "scope_refused": Entry("Scope not for keys", "Leave out what the detail names."),
    "scope_beyond_caller": Entry(
        "More than you may do yourself", "Leave out what the detail names, or ask an owner to issue it."
    ),
    "network_invalid": Entry(
        "Not a network", "Give addresses or networks in CIDR notation, such as 203.0.113.0/24."
    ),
    "expiry_passed": Entry("No such end", "Give a moment to come, within ten years."),
    "slug_refused": Entry("Slug not taken", "Take another: this one is kept for the platform."),
    "slug_taken": Entry("Slug in use", "Take another."),
    "plan_not_found": Entry("No such plan", "List the plans to see which there are."),
    "plan_retired": Entry("The plan is retired", "Take another, or define it anew."),
    "too_many_plans": Entry("Too many plans", "Change one that is there."),
    "terms_invalid": Entry("Terms that fit no plan", "Correct what the detail names."),
    "contrast_too_low": Entry(
        "Contrast too low", "Take the nearest colour that passes, which the detail names, or one of your own."
    ),
    "picture_refused": Entry(
        "Picture not taken", "See the detail; send a plain SVG, or a PNG, JPEG or WebP."
    ),
    "host_refused": Entry("Host not taken", "Give a host name of your own, such as photos.example.com."),
    "host_not_available": Entry(
        "Host not available", "It is in use elsewhere; write to support if it is yours."
    ),
    "too_many_domains": Entry("Too many domains", "Remove one that is no longer needed."),
    "domain_not_found": Entry("No such domain", "List the domains to see which there are."),
    "not_in_plan": Entry("Not in the plan", "Ask for a plan that holds it."),
    "model_card_invalid": Entry(
        "The card does not fit", "Correct what is named; the guide shows what a card says."
    ),
    "too_many_model_versions": Entry("Too many model versions", "Delete a model that is no longer needed."),
    "custom_model_not_found": Entry("No such model", "List the models to see which there are."),
    "model_version_not_found": Entry("No such version", "List the models: versions are named by SHA-256."),
    "model_version_not_ready": Entry(
        "The version is not ready", "Wait for its check, or read the reason why it was refused."
    ),
    "nothing_to_roll_back": Entry("Nothing to roll back", "The platform's own model serves already."),
    "human_model_not_found": Entry("No such human model", "List the human models to see which there are."),
    "human_model_not_ready": Entry(
        "The human model is not ready",
        "Wait until it is `ready`; if it was refused, add it with another photo.",
    ),
    "human_model_deleted": Entry(
        "The human model was deleted", "Send the image again with another human model."
    ),
    "consent_expired": Entry(
        "The consent has expired", "Renew the consent, then set its new end; or take another human model."
    ),
    "consent_invalid": Entry(
        "The consent does not fit", "It must have been obtained already, and end after that."
    ),
    "too_many_human_models": Entry("Too many human models", "Delete one that is no longer needed."),
    "byok_not_in_plan": Entry(
        "Keys of your own are not in the plan", "Ask for a plan with them; images go on on the platform."
    ),
    "fallback_not_in_plan": Entry(
        "Falling back is not in the plan", "Set byok_only, or ask for a plan with falling back."
    ),
    "credential_field_invalid": Entry(
        "A field of the credential does not fit",
        "See GET /credential-providers for what its provider asks for.",
    ),
    "model_retired": Entry("The model is retired", "Name its successor, which the detail tells."),
    "credential_not_found": Entry("No such credential", "List the credentials to see which there are."),
    "too_many_credentials": Entry("Too many credentials", "Delete one that is no longer needed."),
    "credential_changed": Entry("The credential was changed", "Look at it again, then send the change."),
    "credential_gone": Entry("The secret was erased", "Delete the credential and store it anew."),
    "replacement_under_way": Entry(
        "Another replacement is being checked", "Wait until it has ended, then send this one again."
    ),
    "replacement_not_verified": Entry(
        "The new secret does not work", "The old one is still in use. See the detail, then send another."
    ),
    "nothing_to_roll_back_to": Entry(
        "Nothing to bring back",
        "The grace time is over, or nothing was replaced: replace the secret instead.",
    ),
    "not_sealed_for_this": Entry("The secret could not be opened", "Send the request again."),
    "vault_unavailable": Entry(
        "The vault takes no secrets now", "Try again when Retry-After says; rendering goes on meanwhile."
    ),
    "quota_exceeded": Entry(
        "Beyond the plan's quota",
        "`quota` says which limit, how much of it is used, and when it begins anew: send less, or ask for "
        "a larger plan.",
    ),
    "test_quota_exceeded": Entry(
        "Too many test images today", "Wait until `quota.resets_at`, or use a live key."
    ),
    "invalid_period": Entry("Invalid period", "Give a first day that is not after the last, and fewer days."),
    "body_too_large": Entry("Body too large", "Send less at once: split the archive or shrink the photo."),
    "unsupported_media_type": Entry("Unsupported media type", "Send one of the types that the detail names."),
    "range_not_satisfiable": Entry("Range not satisfiable", "Ask for bytes within the size."),
    "not_an_image": Entry("Not an image", "Send a JPEG, PNG, WebP, TIFF, AVIF or HEIC file."),
    "unsupported_format": Entry("Unsupported picture", "Send it as JPEG, PNG, WebP, TIFF, AVIF or HEIC."),
    "too_many_pixels": Entry(
        "Too many pixels", "Shrink the photo to at most 50 megapixels and 16,383 px a side."
    ),
    "too_many_bytes": Entry("Too many bytes", "Shrink the photo to at most 50 MB."),
    "truncated": Entry("Truncated picture", "The file ends too early: upload it again."),
    "corrupt": Entry("Damaged picture", "Export the photo again and send that."),
    "damaged": Entry("Damaged entry", "Make the archive again."),
    "empty": Entry("Empty file", "Upload the photo again."),
    "nested_archive": Entry("Archive in an archive", "Put its photos into the archive themselves."),
    "path_traversal": Entry("Unsafe path", "Make the archive again with plain relative names."),
    "symlink": Entry("Symbolic link", "Put the file itself into the archive."),
    "unsupported_method": Entry("Unsupported compression", "Store or deflate the entry."),
    "manifest_unreadable": Entry(
        "Unreadable manifest.csv",
        "Save it as CSV UTF-8 with a column `file`. Photos were paired by name.",
    ),
    "manifest_rows_ignored": Entry(
        "Lines of manifest.csv were ignored", "Correct the named lines; all others were followed."
    ),
    "photo_lost": Entry("Photo lost", "Upload it again."),
    "person_not_found": Entry("Nobody in the photo", "Send a photo of a person, on an even ground."),
    "person_several": Entry("Several people in the photo", "Send a photo of one person."),
    "person_too_small": Entry("Person too small", "Send a larger photo, or one from closer by."),
    "person_no_torso": Entry("No upright torso", "Send a photo of somebody who stands straight."),
    "person_cut_off": Entry("Person cut off", "Send a photo with a free border around the person."),
    "person_no_legs": Entry(
        "No legs in the photo", "Choose a human model whose photo shows what is worn below the waist."
    ),
    "no_garment": Entry("No garment", "Check the photo, or name the kind with the option `garment`."),
    "killed_worker": Entry(
        "Not renderable", "Export the photo again; write to support if that fails as well."
    ),
    "not_a_zip": Entry("Not a ZIP", "Send a ZIP archive, whole."),
    "encrypted": Entry("Encrypted archive", "Send it without a password."),
    "too_many_entries": Entry("Too many entries", "Split it: an archive holds at most 5,000."),
    "too_large_unpacked": Entry("Too large unpacked", "Split it: at most 8 GiB unpacked."),
    "ratio_too_high": Entry("Suspicious compression", "Store the photos without compressing them."),
    "zip64_inconsistent": Entry("Inconsistent archive", "Make the archive again with another program."),
    "overlapping_entries": Entry("Overlapping entries", "Make the archive again with another program."),
    "damaged_directory": Entry("Damaged archive", "Make the archive again, and upload it whole."),
    "unsupported": Entry("Unsupported archive", "Send a plain ZIP in one file."),
    "archive_lost": Entry("Archive lost", "Upload it again."),
    "nothing_to_render": Entry("No photo in the archive", "See the reason of each entry."),
    "nothing_rendered": Entry("Every photo failed", "See the reason of each image; mend it or retry."),
    "render_failed": Entry("Not rendered", "Retry the image; write to support if it fails again."),
    "cancelled": Entry("Cancelled", "Send the photo again if it is still wanted."),
    "rate_limited": Entry("Too many requests", "Wait for as many seconds as Retry-After says."),
    "unavailable": Entry("Temporarily unavailable", "Try again in a moment; POSTs with the same key."),
    "internal": Entry("Internal error", "Try again; write to support with the request id if it stays."),
}
CATALOGUE |= {code: Entry(*told) for code, told in PEOPLE.items() if code not in CATALOGUE}

_BY_STATUS = {
    400: "malformed_body",
    401: "unauthorized",
    403: "forbidden",
    404: "not_found",
    405: "method_not_allowed",
    409: "conflict",
    413: "body_too_large",
    415: "unsupported_media_type",
    422: "invalid",
    429: "rate_limited",
    503: "unavailable",
}


def code_of(status: int) -> str:
    """The code of a bare HTTP status."""
    return _BY_STATUS.get(status, "invalid" if status < 500 else "internal")


def entry(code: str, status: int) -> Entry:
    """What is known of `code`, or else of its status."""
    return CATALOGUE.get(code) or CATALOGUE[code_of(status)]
