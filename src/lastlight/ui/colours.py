"""Colours of a brand: what is given, and what of it each theme shows so that it can be read (WCAG 2.2 AA). Pure.

A colour keeps its hue and as much of its strength as a screen can show (OKLCH); only its lightness is moved, and no further than
it must be. The surfaces are those of `css/tokens.css` on which an accent is written: the lightest in the dark, the darkest in the light.
"""

import math
import re
from typing import Literal

import msgspec

Theme = Literal["dark", "light"]
HEX = re.compile(r"#[0-9a-f]{6}")
READABLE = 4.5
"""The contrast of text, WCAG 2.2 AA."""
SURFACES: dict[Theme, tuple[str, ...]] = {"dark": ("#0c0a0e", "#28232b"), "light": ("#ffffff", "#f0edf0")}
INKS: dict[Theme, tuple[str, str]] = {"dark": ("#0e0b10", "#ffffff"), "light": ("#ffffff", "#0e0b10")}
STEP = 0.01
SOFT = {"dark": ("21", "57"), "light": ("17", "4d")}
"""The opacity of an accent's wash and of its line, as in the tokens."""


class Shade(msgspec.Struct, frozen=True):
    """An accent as one theme shows it."""

    theme: Theme
    accent: str
    ink: str
    """What is written upon the accent."""
    contrast: float
    """With the surface on which it is hardest to read."""
    moved: bool
    """Whether it had to be lighter or darker than the colour that was given."""


def clean_colour(text: str) -> str | None:
    """A colour as #rrggbb in small letters; None for what is none."""
    plain = text.strip().lower()
    if re.fullmatch(r"#[0-9a-f]{3}", plain):
        plain = "#" + "".join(letter * 2 for letter in plain[1:])
    return plain if HEX.fullmatch(plain) else None


def shade_for(colour: str, theme: Theme) -> Shade:
    """The colour as a theme shows it: itself where it can be read there, else as near to it as can be."""
    lightness, chroma, hue = _oklch(colour)
    step = STEP if theme == "dark" else -STEP
    shown = colour
    while not _fits(shown, theme):
        lightness += step
        if not 0 <= lightness <= 1:
            shown = INKS[theme][1]
            break
        shown = _hex(lightness, chroma, hue)
    ink = max(INKS[theme], key=lambda one: contrast(one, shown))
    worst = min(contrast(shown, surface) for surface in SURFACES[theme])
    return Shade(theme, shown, ink, round(worst, 2), shown != colour)


def stylesheet(colour: str) -> str:
    """The custom properties that give every page of a business its accent, in both themes."""
    rules: list[str] = []
    for theme in ("dark", "light"):
        shade = shade_for(colour, theme)
        soft, line = SOFT[theme]
        rules.append(
            f'[data-theme="{theme}"]{{--accent:{shade.accent};--accent-text:{shade.accent};--accent-ink:{shade.ink};'
            f"--accent-soft:{shade.accent}{soft};--accent-line:{shade.accent}{line}}}"
        )
    return "\n".join(rules) + "\n"


def contrast(one: str, other: str) -> float:
    """The contrast of two colours as WCAG measures it, from 1 to 21."""
    brighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (brighter + 0.05) / (darker + 0.05)


def _fits(colour: str, theme: Theme) -> bool:
    readable = all(contrast(colour, surface) >= READABLE for surface in SURFACES[theme])
    return readable and max(contrast(ink, colour) for ink in INKS[theme]) >= READABLE


def _linear(colour: str) -> tuple[float, float, float]:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return red, green, blue


def _luminance(colour: str) -> float:
    red, green, blue = _linear(colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _oklch(colour: str) -> tuple[float, float, float]:
    """Lightness, chroma and hue (radians); the matrices are those of Björn Ottosson's Oklab."""
    red, green, blue = _linear(colour)
    long = math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue)
    middle = math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue)
    short = math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue)
    lightness = 0.2104542553 * long + 0.7936177850 * middle - 0.0040720468 * short
    a = 1.9779984951 * long - 2.4285922050 * middle + 0.4505937099 * short
    b = 0.0259040371 * long + 0.7827717662 * middle - 0.8086757660 * short
    return lightness, math.hypot(a, b), math.atan2(b, a)


def _hex(lightness: float, chroma: float, hue: float) -> str:
    """The colour on a screen, with less chroma where a screen has not so much."""
    while chroma > 0.002:
        parts = _rgb(lightness, chroma, hue)
        if all(-0.001 <= part <= 1.001 for part in parts):
            break
        chroma *= 0.95
    parts = _rgb(lightness, chroma if chroma > 0.002 else 0.0, hue)
    return "#" + "".join(f"{_channel(part):02x}" for part in parts)


def _rgb(lightness: float, chroma: float, hue: float) -> tuple[float, float, float]:
    a, b = chroma * math.cos(hue), chroma * math.sin(hue)
    long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3
    middle = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (lightness - 0.0894841775 * a - 1.2914855480 * b) ** 3
    return (
        4.0767416621 * long - 3.3077115913 * middle + 0.2309699292 * short,
        -1.2684380046 * long + 2.6097574011 * middle - 0.3413193965 * short,
        -0.0041960863 * long - 0.7034186147 * middle + 1.7076147010 * short,
    )


def _channel(part: float) -> int:
    part = min(1.0, max(0.0, part))
    shown = 12.92 * part if part <= 0.0031308 else 1.055 * part ** (1 / 2.4) - 0.055
    return round(shown * 255)
