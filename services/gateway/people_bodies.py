"""What is sent about people. Secrets stand in SecretStr and are in no repr, problem or log."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from libs.common.contracts.access import Role, StaffRole
from libs.common.contracts.ids import TenantId
from libs.common.contracts.people import TEXT, Email, Language, PersonName, UserState
from libs.common.contracts.sso import Domain
from services.gateway import people_views as views

_WRITE_ONLY: dict[str, Any] = {"writeOnly": True}
Password = Annotated[SecretStr, Field(min_length=1, max_length=256, json_schema_extra=_WRITE_ONLY)]
Code = Annotated[
    SecretStr,
    Field(
        min_length=6,
        max_length=32,
        description="Of the authenticator app, or a recovery code.",
        json_schema_extra=_WRITE_ONLY,
    ),
]
Token = Annotated[
    SecretStr,
    Field(
        min_length=1,
        max_length=300,
        description="What follows `#` in the link.",
        json_schema_extra=_WRITE_ONLY,
    ),
]
_EMAIL = "layla@shop.example"
_EXAMPLE, _TOKEN = "correct horse battery", "ten_….usr_….8sZ0"


def _taken(**example: Any) -> ConfigDict:
    return ConfigDict(extra="forbid", json_schema_extra={"examples": [example]})


class Login(BaseModel):
    """`code` is needed once two-factor sign-in is on; `tenant` where one address is in several."""

    model_config = _taken(email=_EMAIL, password=_EXAMPLE, code="123456")

    email: Email
    password: Password
    code: Code | None = None
    tenant: TenantId | None = None


class ForgottenPassword(BaseModel):
    model_config = _taken(email=_EMAIL)

    email: Email


class PasswordByLink(BaseModel):
    model_config = _taken(token=_TOKEN, password=_EXAMPLE)

    token: Token
    password: Password


class AcceptedInvite(BaseModel):
    model_config = _taken(token=_TOKEN, name="Omar", password=_EXAMPLE)

    token: Token
    name: PersonName
    password: Password


class ChangedProfile(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(name="Layla Haddad", language="ar")

    name: PersonName | None = None
    language: Language | None = None


class ChangedPassword(BaseModel):
    """`current_password` is left out by who has had none, coming by single sign-on alone."""

    model_config = _taken(current_password=_EXAMPLE, new_password=_EXAMPLE[::-1])

    current_password: Password | None = None
    new_password: Password


class TotpCode(BaseModel):
    model_config = _taken(code="123456")

    code: Code


class ChangedMember(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(role="admin")

    role: Role | None = None
    state: UserState | None = None


class NewInvite(BaseModel):
    model_config = _taken(email="omar@shop.example", role="viewer", language="en")

    email: Email
    role: Role
    language: Language = Language.ENGLISH


class NewSso(BaseModel):
    """`client_secret` may be left out where issuer and client stay the same."""

    model_config = _taken(
        issuer=views.SSO["issuer"],
        client_id="mannequin",
        client_secret="…",  # noqa: S106  # an example
        allowed_domains=["shop.example"],
        default_role="viewer",
        enforce=False,
    )

    issuer: str = Field(max_length=500, pattern=TEXT)
    client_id: str = Field(min_length=1, max_length=300, pattern=TEXT)
    client_secret: (
        Annotated[SecretStr, Field(min_length=1, max_length=1000, json_schema_extra=_WRITE_ONLY)] | None
    ) = None
    allowed_domains: tuple[Domain, ...] = Field(
        min_length=1, max_length=50, description="Of e-mail addresses that may sign in."
    )
    default_role: Literal[Role.ADMIN, Role.OPERATOR, Role.VIEWER] = Field(
        Role.VIEWER, description="Of whoever comes for the first time."
    )
    enforce: bool = Field(False, description="Nobody but owners signs in with a password.")


class StaffCredentials(BaseModel):
    """`new_password` is for the end of the first sign-in alone."""

    model_config = _taken(email="noor@platform.example", password=_EXAMPLE, code="123456")

    email: Email
    password: Password
    code: Code | None = None
    new_password: Password | None = None


class NewStaff(BaseModel):
    model_config = _taken(email="noor@platform.example", name="Noor", role="support")

    email: Email
    name: PersonName
    role: StaffRole


class ChangedStaff(BaseModel):
    """What is absent stays as it is."""

    model_config = _taken(role="finance")

    role: StaffRole | None = None
    state: UserState | None = None


class NewImpersonation(BaseModel):
    """The tenant reads `reason` in its audit log."""

    model_config = _taken(reason=views.IMPERSONATION["reason"], role="viewer", minutes=30)

    reason: str = Field(min_length=10, max_length=500, pattern=TEXT)
    role: Literal[Role.VIEWER, Role.OPERATOR, Role.ADMIN] = Role.VIEWER
    minutes: int = Field(30, ge=1, le=60)
