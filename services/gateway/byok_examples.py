"""Examples of keys, routes and charges for the OpenAPI document. What stands for a secret opens nothing."""

from __future__ import annotations

from typing import Any

from services.gateway.examples import CREDENTIAL_ID

SETTINGS: dict[str, str] = {"url": "https://gpu.shop.example.com", "model": "mannequin"}

NEW_CREDENTIAL: dict[str, Any] = {
    "provider": "open-inference",
    "label": "GPUs in Frankfurt",
    "settings": SETTINGS,
    "secret": {"bearer": "the-token-of-your-server"},
    "priority": 10,
    "monthly_cap": "250.00",
}

HEALTH: dict[str, Any] = {
    "state": "healthy",
    "since": "2026-03-01T09:00:02Z",
    "checked_at": "2026-03-01T09:30:00Z",
    "code": None,
    "detail": "",
    "advice": "",
}

CREDENTIAL: dict[str, Any] = {
    "id": CREDENTIAL_ID,
    "provider": "open-inference",
    "label": "GPUs in Frankfurt",
    "enabled": True,
    "health": HEALTH,
    "version": 1,
    "last_four": "rver",
    "fingerprint": "5c0f0f3c1f6d2f1f6a4f0e8f2b7c9d31a8e4b6c2d0f9173e5a6b8c4d2e1f0a97",
    "settings": SETTINGS,
    "priority": 10,
    "monthly_cap": "250.00",
    "regions": [],
    "models": [],
    "expires_at": None,
    "previous_until": None,
    "created_at": "2026-03-01T09:00:00Z",
    "updated_at": "2026-03-01T09:00:02Z",
}

TERMS: dict[str, Any] = {"priority": 20, "monthly_cap": None}

NEW_SECRET: dict[str, Any] = {"secret": {"bearer": "the-new-token-of-your-server"}, "grace_s": 86_400}

POLICY: dict[str, Any] = {
    "policy": "byok_then_platform",
    "when_unavailable": "wait",
    "fallback_monthly_cap": "100.00",
}

_TOTAL: dict[str, Any] = {
    "day": None,
    "provider": None,
    "payer": None,
    "images": 1000,
    "compute_seconds": "410.5",
    "cost": "1.291",
    "platform_cost": "12.000",
}

USAGE: dict[str, Any] = {
    "start": "2026-03-01",
    "end": "2026-03-31",
    "currency": "USD",
    "rows": [
        {
            **_TOTAL,
            "day": "2026-03-01",
            "provider": "open-inference",
            "payer": "tenant",
            "images": 900,
            "compute_seconds": "410.5",
            "cost": "0.091",
            "platform_cost": "10.800",
        },
        {
            **_TOTAL,
            "day": "2026-03-01",
            "provider": "onnx",
            "payer": "platform",
            "images": 100,
            "compute_seconds": "0",
            "cost": "1.200",
            "platform_cost": "1.200",
        },
    ],
    "total": _TOTAL,
}

USAGE_CSV = """day,provider,payer,images,compute_seconds,cost,platform_cost,currency
2026-03-01,open-inference,tenant,900,410.5,0.091,10.800,USD
2026-03-01,onnx,platform,100,0,1.200,1.200,USD
"""

_MONTH: dict[str, Any] = {
    "month": "2026-03-01",
    "images": 1000,
    "byok_images": 900,
    "without_byok": "12.000",
    "with_byok": "1.200",
    "moved_share": "0.9",
}

SAVINGS: dict[str, Any] = {"currency": "USD", "rows": [_MONTH], "total": _MONTH}

ESTIMATE: dict[str, Any] = {
    "photos": 300,
    "refused": 1,
    "paired": 20,
    "duplicates": 4,
    "billable_at_most": 275,
    "routes": [
        {
            "provider": "open-inference",
            "payer": "tenant",
            "credential_id": CREDENTIAL_ID,
            "fallback": False,
            "images": 275,
            "price": "0.000111",
            "cost": "0.030525",
            "reason": "the tenant's own key, healthy",
        }
    ],
    "waiting": 0,
    "cost": "0.030525",
    "currency": "USD",
    "price_table": "2026-11-24-1a2b3c4d",
    "quota": {
        "limit": 10000,
        "used": 4210,
        "reserved": 290,
        "needed": 275,
        "fits": True,
        "resets_at": "2026-04-01T00:00:00Z",
        "hit": None,
    },
}
