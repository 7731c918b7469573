"""What else contradicts itself in a contract that is not valid as a whole.

Fields that are valid by themselves are put together without the others, and the checks that read
nothing else are run on them.
"""

from collections.abc import Mapping
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from noria.common.messages import nearest
from noria.contracts.cross_checks import Disagreement
from noria.contracts.field_types import Section

Path = tuple[str | int, ...]


class PartialModel:
    """Gathers, by place, what the valid parts of a document contradict."""

    def __init__(self) -> None:
        self.found: list[tuple[Path, Disagreement]] = []

    def section(
        self, model: type[Section], data: Mapping[Any, Any], path: Path = ()
    ) -> tuple[Section, set[str]]:
        """Put the valid fields of a section together; returns it, and the fields in doubt."""
        keys = {field.alias or name: name for name, field in model.model_fields.items()}
        # What was meant by a misspelt name is not known to be missing.
        doubtful = {meant for key in data if key not in keys and (meant := nearest(str(key), keys))}
        values: dict[str, Any] = {}
        for key, name in keys.items():
            field = model.model_fields[name]
            if key not in data:
                doubtful |= {key} if field.is_required() else set()
                continue
            try:
                values[name] = _validated(field, data[key])
            except ValidationError:
                values[name], lost = self._part(field.annotation, data[key], (*path, key))
                doubtful |= {f"{key}.{one}".rstrip(".") for one in lost}
        made = model.model_construct(**values)
        self.found += [(path, told) for told in made.disagreements(doubtful)]
        return made, doubtful

    def _part(self, annotation: Any, value: Any, path: Path) -> tuple[Any, set[str]]:
        """What is valid of a value that is not; what of it is in doubt, "" where all is."""
        shapes = _shapes(annotation)
        for shape in shapes:
            kind, inner = get_origin(shape), get_args(shape)
            if kind is list and isinstance(value, list) and value:
                parts = [self._part(inner[0], one, (*path, at)) for at, one in enumerate(value)]
                return [part for part, _ in parts], {one for _, lost in parts for one in lost}
            if kind is dict and isinstance(value, Mapping):
                for key, one in value.items():
                    self._part(inner[1], one, (*path, key))
                return value, {""}
        model = _chosen(shapes, value) if isinstance(value, Mapping) else None
        return (value, {""}) if model is None else self.section(model, value, path)


def _validated(field: FieldInfo, value: Any) -> Any:
    annotation: Any = field.annotation
    for item in field.metadata:
        annotation = Annotated[annotation, item]
    return TypeAdapter(annotation).validate_python(value)


def _shapes(annotation: Any) -> list[Any]:
    """The types that a value may have: the branches of a union, without what is annotated."""
    kind = get_origin(annotation)
    if kind is Annotated:
        return _shapes(get_args(annotation)[0])
    if kind in (Union, UnionType):
        return [shape for part in get_args(annotation) for shape in _shapes(part)]
    return [annotation]


def _chosen(shapes: list[Any], value: Mapping[Any, Any]) -> type[Section] | None:
    """The section that a mapping is: the one there is, or the source of its kind."""
    models = [one for one in shapes if isinstance(one, type) and issubclass(one, Section)]
    if len(models) == 1:
        return models[0]
    return next((one for one in models if value.get("kind") in _kinds(one)), None)


def _kinds(model: type[Section]) -> tuple[Any, ...]:
    return get_args(model.model_fields["kind"].annotation) if "kind" in model.model_fields else ()
