"""The calls of branding as values. No I/O."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from libs.client.branding.models import Branding, ContrastPair, Domain, Look, PublicBrand
from libs.client.calls import BASE, Call, get, post, quoted, reading
from libs.client.models import Page

_MEDIA_TYPES = {
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".webp": "image/webp",
}
_OWN = "/tenant/branding"
_DOMAINS = "/tenant/domains"


def get_branding() -> Call[Branding]:
    return get(_OWN, Branding)


def set_branding(display_name: str, look: Look) -> Call[Branding]:
    body = {"display_name": display_name, **look}
    return Call("PUT", f"{BASE}{_OWN}", reading(Branding), json=body)


def check_colours(colours: Mapping[str, str]) -> Call[Page[ContrastPair]]:
    return get(f"{_OWN}/contrast", Page[ContrastPair], **colours)


def get_host_branding() -> Call[PublicBrand]:
    return get("/branding", PublicBrand)


def set_picture(kind: str, picture: Path) -> Call[Branding]:
    """kind: `logo` or `favicon`."""
    media_type = _MEDIA_TYPES.get(picture.suffix.lower(), "application/octet-stream")
    headers = {"content-type": media_type}
    return Call("PUT", f"{BASE}{_OWN}/{kind}", reading(Branding), headers=headers, upload=picture)


def remove_picture(kind: str) -> Call[Branding]:
    return Call("DELETE", f"{BASE}{_OWN}/{kind}", reading(Branding))


def logo() -> str:
    return f"{BASE}{_OWN}/logo"


def add_domain(host: str) -> Call[Domain]:
    return post(_DOMAINS, Domain, json={"host": host})


def list_domains() -> Call[Page[Domain]]:
    return get(_DOMAINS, Page[Domain])


def get_domain(domain_id: str) -> Call[Domain]:
    return get(f"{_DOMAINS}/{quoted(domain_id)}", Domain)


def verify_domain(domain_id: str) -> Call[Domain]:
    return post(f"{_DOMAINS}/{quoted(domain_id)}/verify", Domain)


def remove_domain(domain_id: str) -> Call[None]:
    return Call("DELETE", f"{BASE}{_DOMAINS}/{quoted(domain_id)}", lambda _: None)
