"""Messages that only one browser can read."""

import pytest
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec

from lastlight.runtime.push.deliver import encrypt
from tests.support.push_service import Browser, as_bytes


def test_the_service_of_the_tests_reads_the_example_of_rfc_8291() -> None:
    private = ec.derive_private_key(
        int.from_bytes(as_bytes("q1dXpw3UpT5VOmu_cf_v6ih07Aems3njxI-JWgLcM94"), "big"), ec.SECP256R1()
    )
    browser = Browser("https://push.example.net", private, as_bytes("BTBZMqHH6r4Tts7J_aSIgg"))
    message = as_bytes(
        "DGv6ra1nlYgDCS1FRnbzlwAAEABBBP4z9KsN6nGRTbVYI_c7VJSPQTBtkgcy27mlmlMoZIIgDll6e3vCYLocInmYWAmS6TlzAC8wEqKK6PBru3jl7A_yl95bQpu6cVPT"
        "pK4Mqgkf1CXztLVBSt2Ks3oZwbuwXPXLWyouBWLVWGNWQexSgSxsj_Qulcy4a-fN"
    )
    assert browser.read(message) == b"When I grow up, I want to be a watermelon"


def test_each_message_is_sealed_anew_and_for_one_browser_only() -> None:
    one, other = Browser("https://one.example"), Browser("https://other.example")
    first, second = (encrypt(b"now", public_key=one.public, auth=one.auth) for _ in range(2))
    assert one.read(first) == one.read(second) == b"now"
    assert first != second
    with pytest.raises(InvalidTag):
        other.read(first)
