"""The colours of generated pictures, for light and dark pages."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Palette:
    """The colours of a version, named by what they are for."""

    page: str
    text: str
    quiet: str
    line: str
    happy: str
    task: str
    choice: str
    ask: str
    ending: str
    good: str
    bad: str
    live: str


PALETTES = {
    "light": Palette(page="#ffffff", text="#1f2328", quiet="#59636e", line="#8c959f",
                     happy="#0969da", task="#ddf4ff", choice="#ffffff", ask="#fff8c5",
                     ending="#eff2f5", good="#dafbe1", bad="#ffebe9", live="#fbefff"),
    "dark": Palette(page="#0d1117", text="#f0f6fc", quiet="#9198a1", line="#6e7681",
                    happy="#58a6ff", task="#12304f", choice="#0d1117", ask="#3d2f00",
                    ending="#21262d", good="#12361f", bad="#4a1618", live="#2e1f45"),
}  # fmt: skip
