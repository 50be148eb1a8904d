"""What every message promises."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, SecretStr, ValidationError

from libs.common.contracts import flow, ids
from libs.common.contracts.batch import BatchOptions
from libs.common.contracts.envelope import Envelope
from libs.common.contracts.inference import FileKind
from libs.common.contracts.message import MESSAGES, Command, Event, Message, Query, Secret, Signal
from libs.common.contracts.options import ImageFormat, RenderOptions

# Tests declare messages of their own, which are nobody's contract.
DECLARED = (
    message for message in MESSAGES.values() if message.__module__.startswith("libs.common.contracts")
)
ALL = sorted(DECLARED, key=lambda message: message.wire)


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.wire)
def test_every_message_is_in_the_flow(message: type[Message]) -> None:
    """It has somebody who sends it; and somebody who takes it, unless it is a fact that nobody needs yet."""
    assert flow.producers(message)
    if issubclass(message, Query):
        assert sum(message in service.responds for service in flow.SERVICES.values()) == 1
    if issubclass(message, Signal):
        assert any(message in service.listens for service in flow.SERVICES.values())
    if issubclass(message, Command):
        assert len(flow.consumers(message)) == 1


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.wire)
def test_wire_names_tell_owner_and_version(message: type[Message]) -> None:
    """`<owner>.<what>.v<version>`, the owner being a service."""
    owner, _, version = message.wire.split(".")
    assert owner in flow.SERVICES
    assert version == "v1"


@pytest.mark.parametrize("message", ALL, ids=lambda message: message.wire)
def test_messages_are_frozen_and_refuse_unknown_fields(message: type[Message]) -> None:
    """A sender that is ahead of its receiver is noticed."""
    assert message.model_config.get("frozen")
    assert message.model_config.get("extra") == "forbid"
    assert sum(issubclass(message, kind) for kind in (Command, Event, Query, Signal)) == 1


@pytest.mark.parametrize(
    "kind",
    [k for k in vars(ids).values() if isinstance(k, type) and issubclass(k, ids.Id) and k is not ids.Id],
)
def test_an_id_of_one_kind_is_not_taken_for_another(kind: type[ids.Id]) -> None:
    """Its prefix says what it is of."""
    other = ids.BatchId if kind is not ids.BatchId else ids.ImageId
    with pytest.raises(ValueError, match="not an id"):
        other(kind.new())
    assert kind(str(kind.new()))


def test_ids_sort_by_the_time_of_their_birth() -> None:
    """At a resolution of milliseconds, which is enough for pages."""
    assert ids.BatchId("bat_01aaaaaaaaaaaaaaaaaaaaaaaa") < ids.BatchId("bat_01baaaaaaaaaaaaaaaaaaaaaaa")


@given(
    subject=st.none() | st.text(alphabet="abc-", min_size=1), tenant=st.none() | st.just(ids.TenantId.new())
)
def test_an_envelope_survives_its_headers(subject: str | None, tenant: ids.TenantId | None) -> None:
    """Headers and data are all that a broker carries."""
    message = ALL[0].model_construct()
    envelope = Envelope(source="gateway", type=message.wire, subject=subject, tenant_id=tenant, data=b"{}")
    assert Envelope.parse(envelope.headers(), envelope.data) == envelope


def test_a_secret_shows_itself_in_the_reply_alone() -> None:
    """Masked in repr, str and Python dumps; in clear in the JSON that answers the one who asked."""

    class Answer(BaseModel):
        secret: Secret

    answer = Answer(secret=SecretStr("hunter2"))
    assert "hunter2" not in f"{answer!r} {answer} {answer.model_dump()}"
    assert "hunter2" in answer.model_dump_json()


def test_jpeg_needs_a_background() -> None:
    """JPEG has no transparency, and the message says what to choose."""
    with pytest.raises(ValidationError, match="choose a background"):
        RenderOptions(format=ImageFormat.JPEG, background="transparent")


def test_unknown_options_are_refused_by_name() -> None:
    """A typing error must not be passed over."""
    with pytest.raises(ValidationError, match="bakground"):
        RenderOptions.model_validate({"bakground": "#ffffff"})


@pytest.mark.parametrize("pattern", ["inside", "inner, back_inside", "rücken innen,lining"])
def test_inside_shots_are_known_by_words(pattern: str) -> None:
    """Of any language, with commas between."""
    assert BatchOptions(inside_pattern=pattern).inside_pattern == pattern


@pytest.mark.parametrize("pattern", ["", ",", "a,", "(a+)+$", "a/b", "*", "a" * 201, ",".join("a" * 17)])
def test_a_pattern_is_no_expression(pattern: str) -> None:
    """What could make a name take long, or lead to another folder, is refused."""
    with pytest.raises(ValidationError):
        BatchOptions(inside_pattern=pattern)


def test_a_render_is_told_all_of_a_batchs_options_but_those_of_its_archive() -> None:
    """And they mean the same after any number of ways over the bus."""
    options = BatchOptions.model_validate(
        {"preset": "amazon", "quality": 70, "inside_pattern": "in", "renditions": [{"name": "a", "size": 99}]}
    )
    render = options.of_each()
    assert type(render) is RenderOptions
    assert render.model_dump() == options.model_dump(exclude={"inside_pattern"})
    assert RenderOptions.model_validate_json(render.model_dump_json()) == render


def test_files_beside_a_result_never_have_its_key_or_each_others() -> None:
    """Whatever a rendition is called."""
    keys = [kind.key("r/x.png", name) for kind in FileKind for name in ("alpha", "rendition", "artefact")]
    assert len({"r/x.png", *keys}) == 7
