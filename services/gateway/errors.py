"""Errors of the gateway; `problem_catalogue.py` says what to do about each code.

libs.common.errors
├── Refusal
│   ├── Unauthorized          401
│   │   ├── KeyExpired, KeyRevoked, TenantErased
│   │   └── TokenInvalid, TokenExpired, TokenRevoked
│   ├── Forbidden             403
│   ├── AddressNotAllowed, CrossSite, TenantSuspended   403
│   ├── TooLarge              413
│   ├── UnsupportedMedia      415
│   ├── RangeNotSatisfiable   416
│   ├── TooManyRequests       429
│   └── VaultUnavailable      503
├── Invalid
│   ├── MalformedBody, NotAnImage, InvalidCursor, InvalidPeriod, IdempotencyKeyReused
│   └── ImageFailed           the image ended badly; the code is the image's own
├── NotFound ── NoSuchBatch, NoSuchImage, NoSuchRendition, NoSuchArtefact,
│               NoSuchHumanModel
└── Conflict ── IdempotencyInProgress, BatchNotEnded, ImageNotCompleted,
                HumanModelNotReady
"""

from __future__ import annotations

from libs.common.errors import Conflict, Invalid, NotFound, Refusal


class Unauthorized(Refusal):
    """There is no credential, or it is none of ours."""

    status = 401
    default_code = "unauthorized"


class KeyExpired(Unauthorized):
    """The API key has expired."""

    default_code = "key_expired"


class KeyRevoked(Unauthorized):
    """The API key was revoked."""

    default_code = "key_revoked"


class TenantErased(Unauthorized):
    """The tenant is being erased."""

    default_code = "tenant_erased"


class TokenInvalid(Unauthorized):
    """The access token is not one that this API gave out."""

    default_code = "token_invalid"


class TokenExpired(Unauthorized):
    """The access token has expired."""

    default_code = "token_expired"


class TokenRevoked(Unauthorized):
    """The access token was revoked, or its session has ended."""

    default_code = "token_revoked"


class AddressNotAllowed(Refusal):
    """The API key may not be used from this address."""

    status = 403
    default_code = "address_not_allowed"

    def __init__(self, address: object = None) -> None:
        super().__init__(f"The API key may not be used from {address or 'where the request comes from'}.")


class CrossSite(Refusal):
    """A request that changes something came with a cookie, but not from a page of this API's own."""

    status = 403
    default_code = "csrf"


class TenantSuspended(Refusal):
    """The tenant is suspended: its callers may look, and change nothing."""

    status = 403
    default_code = "tenant_suspended"


class Forbidden(Refusal):
    """The caller may not do this. permission: what it lacks."""

    status = 403
    default_code = "forbidden"

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}, which the caller does not have.")
        self.permission = permission


class TooLarge(Refusal):
    """The body is larger than what is taken here."""

    status = 413
    default_code = "body_too_large"

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than the {limit:,} bytes that are taken here.")


class UnsupportedMedia(Refusal):
    """The body is of a media type that is not taken here."""

    status = 415
    default_code = "unsupported_media_type"

    def __init__(self, given: str, taken: tuple[str, ...]) -> None:
        super().__init__(
            f"The body is of type {given or 'none'}; taken are {', '.join(taken)}.", field="Content-Type"
        )


class RangeNotSatisfiable(Refusal):
    """The range lies outside of the result."""

    status = 416
    default_code = "range_not_satisfiable"

    def __init__(self, size: int) -> None:
        super().__init__(f"The range lies outside of the result, which has {size:,} bytes.", field="Range")
        self.size = size


class TooManyRequests(Refusal):
    """The caller has used up its rate. retry_after: seconds until the next request is taken."""

    status = 429
    default_code = "rate_limited"

    def __init__(self, retry_after: int, detail: str | None = None) -> None:
        super().__init__(detail or "Requests come faster than the rate limit allows.")
        self.retry_after = retry_after


class MalformedBody(Invalid):
    """The body can't be read as what its Content-Type says."""

    default_code = "malformed_body"


class NotAnImage(Invalid):
    """The content is not that of a JPEG, PNG, WebP, TIFF, AVIF or HEIC picture."""

    default_code = "not_an_image"


class InvalidCursor(Invalid):
    """The cursor is not one that this listing gave out."""

    default_code = "invalid_cursor"

    def __init__(self) -> None:
        super().__init__(field="cursor")


class IdempotencyKeyReused(Invalid):
    """The idempotency key was used for another request."""

    default_code = "idempotency_key_reused"

    def __init__(self) -> None:
        super().__init__(field="Idempotency-Key")


class ImageFailed(Invalid):
    """The image could not be rendered."""

    default_code = "render_failed"


class NoSuchBatch(NotFound):
    """There is no such batch."""

    default_code = "batch_not_found"


class NoSuchImage(NotFound):
    """There is no such image."""

    default_code = "image_not_found"


class NoSuchRendition(NotFound):
    """The image has no rendition of this name."""

    default_code = "rendition_not_found"


class NoSuchArtefact(NotFound):
    """The image has no artefact of this name."""

    default_code = "artefact_not_found"


class NoSuchHumanModel(NotFound):
    """There is no such human model."""

    default_code = "human_model_not_found"


class HumanModelNotReady(Conflict):
    """The human model has no photo yet: it is being checked, or was refused."""

    default_code = "human_model_not_ready"


class IdempotencyInProgress(Conflict):
    """A request with this idempotency key is under way."""

    default_code = "idempotency_in_progress"

    def __init__(self) -> None:
        super().__init__(field="Idempotency-Key")


class BatchNotEnded(Conflict):
    """The batch has not ended yet."""

    default_code = "batch_not_ended"


class ImageNotCompleted(Conflict):
    """The image has no result yet."""

    default_code = "image_not_completed"


class VaultUnavailable(Refusal):
    """The vault takes no secrets at the moment."""

    status = 503
    default_code = "vault_unavailable"


class InvalidPeriod(Invalid):
    """The first day lies after the last, or the days are too many for one report."""

    default_code = "invalid_period"
