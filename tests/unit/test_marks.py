"""What a file says of how its picture came about, and that it says nothing else of the photos."""

from __future__ import annotations

import pickle
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import import_module
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from PIL import Image

from libs.common.contracts.ids import HumanModelId
from libs.common.contracts.options import ImageFormat, PictureFields, RenderOptions
from services.inference.errors import MarksRefused
from services.inference.pipeline.arrays import U8
from services.inference.pipeline.decode import Picture, decode
from services.inference.pipeline.encode import encode
from services.inference.pipeline.hollow import Filling, Hidden, Source
from services.inference.pipeline.layers import Layers
from services.inference.pipeline.marks import DigitalSource, invented, source_of
from services.inference.pipeline.marks.manifest import Signing, unsigned
from services.inference.pipeline.on_model.person import Person
from services.inference.pipeline.on_model.render import render_on_model
from services.inference.pipeline.render import Render, render
from services.inference.renderer import marker_of
from services.inference.settings import InferenceSettings
from tests.unit.dressing_scenes import PeopleSegmenter, person, top
from tests.unit.generated_scenes import SceneSegmenter
from tests.unit.hollow_scenes import Scene, draw_scene, draw_skirt
from tests.unit.picture_samples import encoded

c2pa: Any = import_module("c2pa")
FORMATS = tuple(ImageFormat)
TYPE = b"Iptc4xmpExt:DigitalSourceType"


def asked(form: ImageFormat, **fields: Any) -> PictureFields:
    return PictureFields(format=form, background="#ffffff", **fields)


def xmp_of(data: bytes) -> bytes:
    """What another library finds in the file's own place for XMP."""
    info = Image.open(BytesIO(data)).info
    found = info.get("xmp") or info.get("XML:com.adobe.xmp") or b""
    return found.encode() if isinstance(found, str) else found


def photo(**pixels: Any) -> U8:
    return np.random.default_rng(1).integers(0, 256, (40, 30, 3), dtype=np.uint8, **pixels)


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_says_its_digital_source_where_readers_look(form: ImageFormat) -> None:
    """As the URI of the IPTC, and the pixels are none the worse."""
    source = DigitalSource.COMPOSITE_SYNTHETIC
    data, plain = (encode(photo(), asked(form), each) for each in (source, None))
    assert b'DigitalSourceType="' + source.value.encode() in xmp_of(data)
    assert (decode(data).rgb == decode(plain).rgb).all()


@pytest.mark.parametrize("form", FORMATS)
def test_a_picture_without_a_source_says_nothing(form: ImageFormat) -> None:
    """Not even an empty packet."""
    data = encode(photo(), asked(form))
    assert xmp_of(data) == b""
    assert TYPE not in data


@pytest.mark.parametrize("form", FORMATS)
def test_the_resolution_stands_beside_the_mark(form: ImageFormat) -> None:
    """Both are asked for at once."""
    data = encode(photo(), asked(form, dpi=300), DigitalSource.COMPOSITE_CAPTURE)
    image = Image.open(BytesIO(data))
    dpi: Any = image.info.get("dpi") or (image.getexif().get(0x011A),)
    assert float(dpi[0]) == pytest.approx(300, abs=0.1)
    assert TYPE in xmp_of(data)


def layers_of(source: Source, *, filled: bool = False) -> Layers:
    scene = draw_scene("crew")
    alpha = np.where(scene.interior, np.uint8(255), np.uint8(0))
    hidden = Hidden(filled=filled)
    return Layers(scene.picture, scene.matte, Filling(alpha, scene.rgb, source, hidden))


def test_the_source_is_decided_by_what_fills_the_garment() -> None:
    """An algorithm, another photo, a generative model; or nothing that anybody sees."""
    assert source_of(layers_of(Source.SYNTHESIZED)) is DigitalSource.COMPOSITE_SYNTHETIC
    assert source_of(layers_of(Source.INSIDE_SHOT)) is DigitalSource.COMPOSITE_CAPTURE
    assert source_of(layers_of(Source.INSIDE_SHOT, filled=True)) is DigitalSource.COMPOSITE_SYNTHETIC
    assert source_of(layers_of(Source.DRAWING)) is DigitalSource.COMPOSITE_WITH_TRAINED
    assert source_of(layers_of(Source.SYNTHESIZED), drawn=True) is DigitalSource.COMPOSITE_WITH_TRAINED
    empty = layers_of(Source.NONE)
    bare = replace(empty, filling=replace(empty.filling, alpha=np.zeros_like(empty.filling.alpha)))
    assert source_of(bare) is None
    assert not invented(bare).any()


def ghost(scene: Scene, **fields: Any) -> Render:
    return render(encoded(scene.rgb, "PNG"), RenderOptions(**fields), SceneSegmenter())


def test_a_render_is_marked_where_its_neck_was_filled_and_only_there() -> None:
    """All of its pictures: the result and every rendition."""
    more = ({"name": "web", "format": "webp"}, {"name": "shop", "format": "jpeg", "background": "#ffffff"})
    filled = ghost(draw_scene("crew"), renditions=more)
    assert filled.digital_source is DigitalSource.COMPOSITE_SYNTHETIC
    assert filled.synthesized_fraction > 0
    assert all(TYPE in xmp_of(file.data) for file in (filled.result, *filled.renditions))
    empty = ghost(draw_scene("crew"), hollow=False, renditions=more)
    assert (empty.digital_source, empty.synthesized_fraction) == (None, 0.0)
    assert not any(TYPE in file.data for file in empty.files)


def test_a_garment_that_is_closed_needs_no_mark() -> None:
    """Nothing was invented, so nothing is claimed."""
    scene = draw_skirt()
    closed = replace(scene, body=np.zeros_like(scene.body), interior=np.zeros_like(scene.interior))
    rgb = closed.rgb.copy()
    rgb[~scene.garment] = 236
    made = ghost(replace(closed, rgb=rgb))
    assert made.digital_source is None
    assert TYPE not in made.result.data


def with_gps(rgb: U8) -> bytes:
    """A JPEG of a camera that knows where and whose it was."""
    exif = Image.Exif()
    exif[0x010F], exif[0x9003], exif[0x013B] = "SecretCam", "2026:01:02 03:04:05", "A. Photographer"
    exif.get_ifd(0x8825).update({1: "N", 2: (48.0, 12.0, 34.5), 3: "E", 4: (16.0, 22.0, 12.5)})
    out = BytesIO()
    packet = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">SecretPacket</x:xmpmeta>'
    Image.fromarray(rgb).save(out, "JPEG", quality=95, exif=exif, xmp=packet, comment=b"SecretComment")
    return out.getvalue()


@pytest.mark.parametrize("form", FORMATS)
def test_nothing_of_a_photos_metadata_reaches_any_output(form: ImageFormat) -> None:
    """Place, camera, author, packet, comment: not in the result, a rendition or an artefact of any format."""
    source = with_gps(draw_scene("crew").rgb)
    assert b"SecretCam" in source
    options = {"format": form, "background": "#ffffff", "artefacts": True, "dpi": 300}
    more = tuple({"name": f"as-{each.value}", "format": each, "background": "#ffffff"} for each in FORMATS)
    made = render(source, RenderOptions(**options, renditions=more), SceneSegmenter())
    wear = RenderOptions(**options, renditions=more, render="on_model", human_model=HumanModelId.new())
    wearer = Person(decode(with_gps(person())))
    worn = render_on_model(with_gps(top()), wear, PeopleSegmenter(), wearer)
    for file in (*made.files, *worn.files):
        assert not any(word in file.data for word in (b"Secret", b"Photographer", b"2026:01:02"))
        tags = Image.open(BytesIO(file.data)).getexif()
        assert not tags.get_ifd(0x8825)
        assert set(tags) <= {0x011A, 0x011B, 0x0128}
    assert all(TYPE in xmp_of(file.data) for file in (worn.result, *worn.renditions))


def test_a_person_in_a_garment_is_always_marked() -> None:
    """Nobody photographed that."""
    options = RenderOptions(render="on_model", human_model=HumanModelId.new())
    made = render_on_model(encoded(top(), "PNG"), options, PeopleSegmenter(), Person(Picture(person())))
    assert made.digital_source is DigitalSource.COMPOSITE_SYNTHETIC
    assert made.synthesized_fraction > 0


def signing() -> Signing:
    """With a certificate of our own authority, as C2PA wants one: for signing documents, not self-signed."""
    authority, signer = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    root = _certificate("Test root", authority, None)
    leaf = _certificate("Test signer", signer, (root, authority))
    chain = b"".join(each.public_bytes(Encoding.PEM) for each in (leaf, root))
    key = signer.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return Signing(chain.decode(), key.decode())


def _certificate(
    name: str,
    key: ec.EllipticCurvePrivateKey,
    issuer: tuple[x509.Certificate, ec.EllipticCurvePrivateKey] | None,
) -> x509.Certificate:
    subject = x509.Name(
        [x509.NameAttribute(NameOID.ORGANIZATION_NAME, "Test"), x509.NameAttribute(NameOID.COMMON_NAME, name)]
    )
    by = (issuer[0].subject, issuer[1]) if issuer else (subject, key)
    now = datetime.now(UTC)
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(by[0])
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=30))
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .add_extension(_usage(authority=issuer is None), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(by[1].public_key()), critical=False)
    )
    if issuer:
        purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])
        builder = builder.add_extension(purpose, critical=False)
    return builder.sign(by[1], hashes.SHA256())


def _usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        key_cert_sign=authority,
        crl_sign=authority,
        encipher_only=False,
        decipher_only=False,
    )


@pytest.mark.parametrize("form", FORMATS)
def test_a_signed_picture_is_verified_by_the_reader_of_c2pa(form: ImageFormat) -> None:
    """With the same digital source type as its metadata; a changed byte is found."""
    sign = signing()
    sign.check()
    made = sign(ghost(draw_scene("crew"), format=form, background="#ffffff"))
    reader = c2pa.Reader(made.result.media_type, BytesIO(made.result.data))
    states = reader.get_validation_state(), reader.json()
    assert states[0] in ("Valid", "Trusted")
    assert DigitalSource.COMPOSITE_SYNTHETIC.value in states[1]
    assert decode(made.result.data).rgb.shape == draw_scene("crew").rgb.shape
    broken = bytearray(made.result.data)
    broken[-40] ^= 0xFF
    assert _state(made.result.media_type, bytes(broken)) != "Valid"


def _state(media_type: str, data: bytes) -> str:
    try:
        return str(c2pa.Reader(media_type, BytesIO(data)).get_validation_state())
    except c2pa.C2paError:
        return "unreadable"


def test_what_holds_nothing_invented_is_not_signed() -> None:
    """A signature would claim more than there is to say."""
    made = ghost(draw_scene("crew"), hollow=False)
    assert signing()(made) is made
    assert unsigned(made) is made


def test_a_signer_goes_to_another_process_and_shows_no_key() -> None:
    """The child signs what it renders."""
    sign = signing()
    sign.check()
    again = pickle.loads(pickle.dumps(sign))
    assert again == sign
    assert "PRIVATE" not in repr(sign)


def test_half_of_a_setting_stops_the_start(tmp_path: Path) -> None:
    """A certificate without its key, a key without its certificate, and files that are not there."""
    there = tmp_path / "chain.pem"
    there.write_text("no certificate")
    for settings in (
        {"c2pa_certificate": there},
        {"c2pa_key": there},
        {"c2pa_certificate": there, "c2pa_key": tmp_path / "absent.pem"},
    ):
        with pytest.raises(MarksRefused):
            marker_of(InferenceSettings.model_construct(**settings))  # type: ignore[arg-type]
    assert marker_of(InferenceSettings.model_construct()) is unsigned


def test_a_certificate_that_cannot_sign_stops_the_start() -> None:
    """Not the first customer's picture."""
    with pytest.raises(MarksRefused):
        Signing("no certificate", "no key").check()
