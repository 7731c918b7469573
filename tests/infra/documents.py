"""The documentation as tests read it: its pages, code blocks, links, and tables of definitions."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

ROOT = Path(__file__).parents[2]
GUIDES = ROOT / "infra" / "docs"
GENERATED = "contract.md"


@dataclass(frozen=True)
class Page:
    """A Markdown file."""

    path: Path

    def __str__(self) -> str:
        return str(self.path.relative_to(ROOT))

    @cached_property
    def text(self) -> str:
        return self.path.read_text(encoding="utf-8")

    @cached_property
    def prose(self) -> str:
        """The text without its code blocks."""
        return re.sub(r"```.*?```", "", self.text, flags=re.S)

    def blocks(self, language: str) -> list[str]:
        """The code blocks of a language."""
        return re.findall(rf"```{language}\n(.*?)```", self.text, re.S)

    def lines(self) -> Iterator[str]:
        """The lines of its shell blocks, those that go on joined."""
        for block in self.blocks("sh"):
            yield from (line for line in block.replace("\\\n", " ").splitlines() if line.strip())

    def links(self) -> list[str]:
        """What its links and pictures lead to."""
        return [
            *re.findall(r"\]\(([^)\s]+)\)", self.prose),
            *re.findall(r'(?:src|srcset)="([^"]+)"', self.prose),
        ]

    @cached_property
    def anchors(self) -> set[str]:
        """What its headings are reached by, as GitHub makes them."""
        return {_anchor(line) for line in re.findall(r"^#+ (.+)$", self.prose, re.M)}

    def defined(self) -> list[str]:
        """The names in the first column of its tables."""
        rows = re.findall(r"^\|([^|]*)\|", self.text, re.M)
        return [name for cell in rows for name in re.findall(r"`([^`]+)`", cell)]


def pages() -> list[Page]:
    """Every page that people read, the decisions and the log of changes included."""
    roots = (ROOT / "README.md", ROOT / "CHANGELOG.md", ROOT / "infra" / "DECISIONS.md")
    folders = (ROOT / ".github", GUIDES)
    return [Page(path) for path in (*roots, *(p for f in folders for p in sorted(f.glob("*.md"))))]


def _anchor(heading: str) -> str:
    kept = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return kept.replace(" ", "-")
