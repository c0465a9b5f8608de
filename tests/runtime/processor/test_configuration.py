"""Which keys may go where; a live key meets Stripe and nothing else."""

from pathlib import Path

import pytest

from lastlight.runtime.http.policy import CONTENT_SECURITY_POLICY, with_card_fields
from lastlight.runtime.processor import configured, fields_origin
from lastlight.runtime.sandbox_port import keep_port
from lastlight.runtime.settings import Settings, SettingsError

SECRET, WEBHOOK = "LASTLIGHT_STRIPE_SECRET_KEY", "LASTLIGHT_STRIPE_WEBHOOK_SECRETS"
PAGE, BASE = "LASTLIGHT_STRIPE_PUBLISHABLE_KEY", "LASTLIGHT_STRIPE_API_BASE"
STRIPE = "https://api.stripe.com"
LIVE = {SECRET: "sk_live_1", PAGE: "pk_live_1", WEBHOOK: "whsec_0123456789abcdef", BASE: STRIPE}


@pytest.mark.parametrize("secret", ["sk_live_1", "rk_live_1"])
def test_a_live_key_goes_to_stripe(tmp_path: Path, secret: str) -> None:
    found = configured(Settings.load({**LIVE, SECRET: secret}, var_dir=tmp_path))
    assert (found.live, found.sandbox, found.api_base) == (True, False, STRIPE)
    assert found.fields_script == "https://js.stripe.com/endive/stripe.js"


@pytest.mark.parametrize("secret", ["sk_live_abc", "rk_live_abc"])
@pytest.mark.parametrize(
    "base",
    ["", "http://127.0.0.1:8420", "https://api.stripe.com.evil.example", "http://api.stripe.com", "https://api.stripe.com:444",
     "https://user@api.stripe.com", "https://api.stripe.com/v1"],
)  # fmt: skip
def test_a_live_key_goes_nowhere_else(tmp_path: Path, secret: str, base: str) -> None:
    with pytest.raises(SettingsError) as refusal:
        Settings.load({**LIVE, SECRET: secret, BASE: base}, var_dir=tmp_path)
    assert "which is no place for it: set LASTLIGHT_STRIPE_API_BASE=https://api.stripe.com" in str(refusal.value)
    assert secret not in str(refusal.value)


@pytest.mark.parametrize(
    ("env", "sentence"),
    [
        ({**LIVE, PAGE: "pk_test_1"}, "are of different modes"),
        ({**LIVE, SECRET: "rk_test_1"}, "are of different modes"),
        ({SECRET: "sk_test_1", PAGE: "pk_live_1"}, "are of different modes"),
        ({SECRET: "rk_test_1"}, "the sandbox takes keys that begin with sk_test_"),
        ({PAGE: "pk_test_1"}, "give both, or neither"),
        ({PAGE: "pk_live_1"}, "is no place for it"),
        ({SECRET: "pk_test_1"}, "must be a secret key"),
        ({SECRET: "sk_test_1", PAGE: "sk_test_1"}, "must be a publishable key"),
        ({WEBHOOK: "whsec_0123456789abcdef,secret"}, "begins with whsec_"),
        (
            {BASE: STRIPE},
            "LASTLIGHT_STRIPE_SECRET_KEY and LASTLIGHT_STRIPE_PUBLISHABLE_KEY and LASTLIGHT_STRIPE_WEBHOOK_SECRETS",
        ),
        ({**LIVE, WEBHOOK: ""}, "needs LASTLIGHT_STRIPE_WEBHOOK_SECRETS too"),
        ({BASE: "stripe"}, "must be an address"),
    ],
)
def test_what_does_not_fit_together_does_not_start(tmp_path: Path, env: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence) as refusal:
        Settings.load(env, var_dir=tmp_path)
    assert str(refusal.value).endswith(".")
    assert not any(value and name != BASE and value in str(refusal.value) for name, value in env.items())


def test_nothing_need_be_set_for_the_sandbox(tmp_path: Path) -> None:
    found = configured(Settings.load({}, var_dir=tmp_path))
    assert (found.api_base, found.sandbox, found.live) == ("http://127.0.0.1:8420", True, False)
    assert found.secret_key.startswith("sk_test_")
    assert found.publishable_key.startswith("pk_test_")
    assert found.publishable_key.partition("_test_")[2] != found.secret_key.partition("_test_")[2], (
        "a page does not tell the secret"
    )
    assert found == configured(Settings.load({}, var_dir=tmp_path)), "the same after every start"
    keep_port(tmp_path, 8444)
    assert configured(Settings.load({}, var_dir=tmp_path)).api_base == "http://127.0.0.1:8444"
    elsewhere = Settings.load(
        {"LASTLIGHT_SANDBOX_URL": "https://pay.example/", "LASTLIGHT_HOST": "::"}, var_dir=tmp_path
    )
    assert configured(elsewhere).api_base == "http://[::1]:8444"
    assert fields_origin(elsewhere) == "https://pay.example"


def test_an_account_outlives_a_change_of_the_secret_key(tmp_path: Path) -> None:
    before = configured(Settings.load({}, var_dir=tmp_path, secret_key="a" * 32))
    after = configured(Settings.load({}, var_dir=tmp_path, secret_key="b" * 32, secret_keys=("a" * 32,)))
    assert (after.secret_key, after.publishable_key) == (before.secret_key, before.publishable_key)
    assert after.webhook_secrets[1:] == before.webhook_secrets
    assert after.webhook_secrets[0] != before.webhook_secrets[0]


def test_a_test_key_is_used_in_the_sandbox_and_at_stripe(tmp_path: Path) -> None:
    keys = {SECRET: "sk_test_1", PAGE: "pk_test_1", WEBHOOK: "whsec_0123456789abcdef, whsec_fedcba9876543210"}
    sandbox = configured(Settings.load(keys, var_dir=tmp_path))
    assert (sandbox.secret_key, sandbox.publishable_key, sandbox.sandbox) == ("sk_test_1", "pk_test_1", True)
    assert sandbox.webhook_secrets == ("whsec_0123456789abcdef", "whsec_fedcba9876543210")
    assert not configured(Settings.load({**keys, BASE: f"{STRIPE}/"}, var_dir=tmp_path)).sandbox


def test_a_page_with_card_fields_may_load_them_and_nothing_more(tmp_path: Path) -> None:
    settings = Settings.load({}, var_dir=tmp_path, sandbox_port=8444)
    policy = with_card_fields(settings)["Content-Security-Policy"]
    origin = " http://127.0.0.1:8444"
    assert policy.count(origin) == 3
    assert policy.replace(origin, "") == f"{CONTENT_SECURITY_POLICY}; frame-src"
    stripes = with_card_fields(Settings.load(LIVE, var_dir=tmp_path))["Content-Security-Policy"]
    assert "script-src 'self' 'wasm-unsafe-eval' https://js.stripe.com https://*.js.stripe.com;" in stripes
    assert "connect-src 'self' ws: wss: https://api.stripe.com;" in stripes
    assert stripes.endswith("; frame-src https://js.stripe.com https://*.js.stripe.com https://hooks.stripe.com")
