"""What the platform says of an erasure, and signs: it names the tenant by a hash alone."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

KIND = "mannequin.erasure.v1/tenant"
_MEANING = (
    "Every row, every stored object, every message set aside and the encryption key of the tenant whose id "
    "has this SHA-256 were removed. Copies of the database that were made before hold its rows until they "
    "expire, and nothing in them that was under its key can be decrypted by anybody."
)


def statement_of(row: Mapping[str, Any], erased_at: datetime, backups: timedelta) -> str:
    """What is signed, byte for byte. row: of the table of erasures."""
    said = {
        "kind": KIND,
        "erasure": row["id"],
        "tenant_sha256": row["tenant_sha256"],
        "requested_at": row["requested_at"].isoformat(),
        "requested_by": row["requested_by"],
        "erased_at": erased_at.isoformat(),
        "removed": row["removed"],
        "backups_expire_at": (erased_at + backups).isoformat(),
        "meaning": _MEANING,
    }
    return json.dumps(said, sort_keys=True, separators=(",", ":"))
