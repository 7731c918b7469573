"""The pins: decided once for each version of one function, whoever asks first."""

from concurrent.futures import ThreadPoolExecutor

from noria.aws.s3 import Store
from noria.aws.version_pins import VersionPins


def test_whoever_asks_first_decides(bucket: Store) -> None:
    pins = VersionPins(bucket, "flights-endpoint", "a1b2")
    assert pins.model_of("7") is None
    with ThreadPoolExecutor(8) as threads:
        told = list(threads.map(lambda n: pins.pin("7", f"v{n}"), range(8)))
    assert len(set(told)) == 1
    assert pins.model_of("7") == told[0]
    assert pins.pin("7", "v99") == told[0]


def test_another_function_takes_over_no_pin(bucket: Store) -> None:
    """GIVEN a function of the same name that another stack, or another time, has made."""
    VersionPins(bucket, "flights-endpoint", "a1b2").pin("3", "v1")
    for function, stack in (("flights-endpoint", "c3d4"), ("other", "a1b2")):
        assert VersionPins(bucket, function, stack).model_of("3") is None


def test_a_pin_goes_with_its_version(bucket: Store) -> None:
    pins = VersionPins(bucket, "flights-endpoint", "a1b2")
    pins.pin("3", "v1")
    pins.pin("4", "v2")
    pins.forget("3")
    pins.forget("3")
    assert (pins.model_of("3"), pins.model_of("4")) == (None, "v2")
