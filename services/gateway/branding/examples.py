"""Examples of the document; a test validates each against its model."""

from __future__ import annotations

from typing import Any

DOMAIN_ID = "dom_01hzy3k5v7m9q2w4x6z8b0c1d3"
COLOURS = {"primary": "#7c2d12", "accent": "#0f766e", "background": "#fffbf5", "text": "#1c1917"}
NEW_BRANDING: dict[str, Any] = {
    "display_name": "Maison Lumière",
    "colours": COLOURS,
    "support_link": "https://help.lumiere.example",
    "sender_name": "Maison Lumière Studio",
    "language": "en",
}
PUBLIC_BRAND: dict[str, Any] = {
    "display_name": "Maison Lumière",
    "colours": COLOURS,
    "support_link": "https://help.lumiere.example",
    "language": "en",
    "direction": "ltr",
    "logo_url": "/api/v1/branding/logo?v=9f86d081884c",
    "favicon_url": "/api/v1/branding/favicon?v=2c26b46b68ff",
    "touch_icon_url": "/api/v1/branding/favicon?size=180&v=fcde2b2edba5",
}
_LOGO = {
    "media_type": "image/svg+xml",
    "size": 1834,
    "sha256": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
}
BRANDING: dict[str, Any] = {
    **NEW_BRANDING,
    "direction": "ltr",
    "logo": _LOGO,
    "favicon": _LOGO,
    "favicon_uploaded": False,
    "host": "lumiere.client.example",
    "shown": True,
    "updated_at": "2026-03-02T10:15:00Z",
}
CONTRAST: dict[str, Any] = {
    "items": [
        {
            "foreground": "#888888",
            "background": "#ffffff",
            "ratio": 3.54,
            "needed": 4.5,
            "passes": False,
            "nearest": "#767676",
        }
    ]
}
DOMAIN: dict[str, Any] = {
    "id": DOMAIN_ID,
    "host": "photos.example.com",
    "status": "pending",
    "record": {
        "type": "TXT",
        "name": "_mannequin.photos.example.com",
        "value": "mannequin-verification=fT3kS0m3Rand0mT0kenFr0mTheAPI00",
    },
    "fault": "txt_missing",
    "failures": 1,
    "created_at": "2026-03-02T10:15:00Z",
    "verified_at": None,
    "checked_at": "2026-03-02T10:16:00Z",
}
