"""How much is released ahead follows what the workers can do."""

from services.batch.window import Window


def taught(seconds: float, *, places: int = 2) -> Window:
    window = Window(queued_s=0.8, chunk=16)
    window.worker_seen("w", places, now=0)
    for _ in range(200):
        window.image_took(seconds)
    return window


def test_slow_images_keep_the_flight_short() -> None:
    """With 0.4 s an image on two places, no more than twice the places are in flight."""
    assert taught(0.4).in_flight == 4
    assert taught(0.4).chunk_size == 1


def test_fast_images_fill_large_chunks() -> None:
    """Where an image takes a millisecond, messages are worth filling."""
    assert taught(0.001).chunk_size == 16
    assert taught(0.001).in_flight == 512


def test_more_workers_widen_the_flight() -> None:
    """Places of all workers seen lately are added up."""
    window = taught(0.4)
    window.worker_seen("another", 30, now=1)
    assert window.in_flight == 64


def test_a_silent_worker_is_forgotten() -> None:
    """After 15 s without a sign its places no longer count."""
    window = taught(0.4, places=30)
    window.worker_seen("another", 2, now=20)
    assert window.places == 2
