"""What the README and the guides tell is true and whole: contracts, commands, names and links."""

import ast
import importlib.util
import re
import shlex
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
import yaml
from typer.core import TyperGroup
from typer.main import get_command

from infra.cli.main import app
from noria.contracts import Problem
from noria.contracts.yaml_loader import Loader
from noria.core.column_types.contract_checks import impossible
from noria.core.monitoring.state import Observation
from noria.lifecycle.environment import PREFIX, Environment
from tests.infra.documents import GENERATED, ROOT, Page, pages
from tests.infra.template import Template

PAGES = pages()
GUIDES = [page for page in PAGES if page.path.name != GENERATED]
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")
WHOLE: dict[str, Any] = {
    "name": "orders", "statement": "Will this order be returned by its buyer?", "task": "binary",
    "target": "returned", "sources": [{"name": "orders", "kind": "s3", "primary": True}],
    "objective": {"metric": "roc_auc", "threshold": 0.7},
}  # fmt: skip
SNIPPETS = [(page, text) for page in PAGES for text in page.blocks("yaml")]


@pytest.mark.parametrize(("page", "text"), SNIPPETS, ids=lambda part: str(part).split(":")[0])
def test_every_contract_shown_is_valid(page: Page, text: str) -> None:
    document = yaml.load(text, Loader)  # noqa: S506 - a safe loader
    problem = Problem.parse(WHOLE | document)
    assert impossible(problem) == []


# -- commands --------------------------------------------------------------------------------


def _shown(command: str) -> Iterator[list[str]]:
    """The words of every line that runs a command, without comments."""
    for line in (line for page in PAGES for line in page.lines()):
        words = shlex.split(line, comments=True)
        if words and words[0] == command:
            yield words[1:]


def _leaves(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(command, TyperGroup):
        for name, inner in command.commands.items():
            yield from _leaves(inner, (*words, name))
    else:
        yield words


def _parse(command: Any, words: list[str], parent: Any = None) -> None:
    """Parse a command line as it would be, without running it; an error says what is wrong."""
    if isinstance(command, TyperGroup):
        with command.context_class(command, parent=parent, info_name="noria") as context:
            _, inner, rest = command.resolve_command(context, words)
            _parse(inner, rest, context)
    else:
        command.make_context(command.name, list(words), parent=parent)


def test_every_command_shown_can_be_parsed() -> None:
    shown = list(_shown(".venv/bin/noria"))
    assert len(shown) > 15
    for words in shown:
        _parse(get_command(app), words)


def test_every_command_named_exists() -> None:
    known = {" ".join(words) for words in _leaves(get_command(app))}
    groups = {name.split()[0] for name in known if " " in name}
    named = {
        tuple(found.split())
        for page in GUIDES
        for found in re.findall(r"`noria ([^`]+)`", page.prose)
    }
    assert len(named) > 10
    for words in named:
        name = " ".join(words[:2]) if words[0] in groups else words[0]
        assert name in known, words


def test_every_command_is_defined_once() -> None:
    defined = Counter(name for page in GUIDES for name in page.defined())
    commands = [" ".join(("noria", *words)) for words in _leaves(get_command(app))]
    assert len(commands) > 10
    assert {name: defined[name] for name in commands if defined[name] != 1} == {}


def test_every_target_shown_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", MAKEFILE, re.M))
    lines = [*_shown("make")]
    named = [
        found.split() for page in GUIDES for found in re.findall(r"`make ([^`]+)`", page.prose)
    ]
    assert len(lines) > 5
    for target, *settings in [*lines, *named]:
        assert target in targets, target
        names = [setting.partition("=")[0] for setting in settings]
        unused = [n for n in names if f"$({n})" not in MAKEFILE and f"$(if $({n})" not in MAKEFILE]
        assert unused == [], target


def test_every_module_shown_can_be_run() -> None:
    named = {name for page in PAGES for name in re.findall(r"python -m ([a-z_.]+)", page.text)}
    assert named
    assert all(importlib.util.find_spec(f"{name}.__main__") or importlib.util.find_spec(name)
               for name in named)  # fmt: skip


# -- names -----------------------------------------------------------------------------------


def test_every_state_is_named_and_all_but_choices_are_defined_once(penguins: Template) -> None:
    defined = Counter(name for page in GUIDES for name in page.defined())
    named = {name for page in GUIDES for name in re.findall(r"`(\w+)`", page.text)}
    others = (penguins.definition(first)["States"] for first in ("PlanBackfill", "PlanBatch"))
    machines = [penguins.states(), *others]
    states = {name: state for states in machines for name, state in states.items()}
    items = {item for state in states.values() for item in _items(state)}
    assert len(states) > 35
    assert items
    assert (states.keys() | items) - named == set()
    own = [n for n, s in penguins.states().items() if s["Type"] not in ("Choice",)]
    assert {name: defined[name] for name in own if defined[name] != 1} == {}


def _items(state: dict[str, Any]) -> set[str]:
    return set(state.get("ItemProcessor", {}).get("States", {}))


def test_every_variable_and_output_is_defined_once(penguins: Template) -> None:
    defined = Counter(name for page in GUIDES for name in page.defined())
    variables = [f"{PREFIX}{name.upper()}" for name in Environment.model_fields]
    outputs = list(penguins.body["Outputs"])
    assert len(variables) > 5
    assert len(outputs) > 5
    wanted = [*variables, *outputs]
    assert {name: defined[name] for name in wanted if defined[name] != 1} == {}


def test_every_metric_and_alarm_is_named(penguins: Template) -> None:
    seen = Observation(
        at="2013-04-01T00:00:00Z", model_version="v", drift=0, prediction_drift=0, quality=0,
        new_rows=0,
    )  # fmt: skip
    named = {name for page in GUIDES for name in re.findall(r"`(\w+)`", page.text)}
    assert len(seen.published()) > 5
    assert seen.published().keys() - named == set()
    alarms = penguins.resources("AWS::CloudWatch::Alarm")
    names = {re.sub(r"^Watch|[0-9A-F]{8}$", "", logical) for logical in alarms}
    assert len(names) > 5
    assert names - named == set()


def test_every_route_is_defined_once() -> None:
    from noria.serving.web_app import app as endpoint

    defined = Counter(name for page in GUIDES for name in page.defined())
    routes = [f"{method} {route.path}" for route in endpoint.routes
              for method in sorted(getattr(route, "methods", ())) if method in ("GET", "POST")
              and not route.path.startswith(("/openapi", "/docs/"))]  # fmt: skip
    assert len(routes) > 5
    assert {name: defined[name] for name in routes if defined[name] != 1} == {}


# -- messages --------------------------------------------------------------------------------


def test_every_message_explained_is_said() -> None:
    guide = Page(ROOT / "infra" / "docs" / "troubleshooting.md")
    table = guide.text.partition("## Messages")[2].partition("## Known limits")[0]
    messages = [name for cell in re.findall(r"^\|([^|]*)\|", table, re.M)
                for name in re.findall(r"`([^`]+)`", cell)]  # fmt: skip
    assert len(messages) > 15
    said = "\n".join([MAKEFILE, *_sentences()])
    parts = {part.strip(" .'%:()") for message in messages for part in message.split("...")}
    assert [part for part in parts if part and part not in said] == []


def _sentences() -> Iterator[str]:
    """Every text in the code, as it is written: what is filled in later is left out."""
    for folder in ("functions", "infra", "layers/noria/python"):
        for path in (ROOT / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    yield node.value
                if isinstance(node, ast.JoinedStr):
                    yield "".join(
                        str(part.value) if isinstance(part, ast.Constant) else "\0"
                        for part in node.values
                    )


# -- links -----------------------------------------------------------------------------------


def _resolves(page: Page, link: str) -> bool:
    place, _, anchor = link.partition("#")
    target = (page.path.parent / place).resolve() if place else page.path
    return target.exists() and (not anchor or anchor in Page(target).anchors)


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_links_and_anchors_resolve(page: Page) -> None:
    inside = [link for link in page.links() if not re.match(r"[a-z]+:", link)]
    assert [link for link in inside if not _resolves(page, link)] == []


def test_every_guide_is_in_the_index() -> None:
    index = Page(ROOT / "infra" / "docs" / "README.md")
    guides = {page.path.name for page in PAGES if page.path.parent == index.path.parent}
    assert guides - {index.path.name} - set(index.links()) == set()
