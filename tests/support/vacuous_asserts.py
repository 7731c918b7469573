"""Finds asserts that may hold because there was nothing to look at, or that compare nothing."""

import ast
from collections.abc import Iterable, Iterator

# What holds something when what it is made of does.
WRAPPERS = {
    *("chain", "dict", "enumerate", "iter", "list", "map", "pairwise", "reversed", "set"),
    *("sorted", "tuple", "zip"),
}
VIEWS = {"items", "keys", "splitlines", "values"}
# Of tests/infra/template.py: these fail themselves where there is nothing.
TEMPLATE = {"functions", "properties", "resources", "statements"}


def vacuous_asserts(source: str) -> list[str]:
    """Each as `line: what is wrong`, in a module's test functions."""
    module = ast.parse(source)
    known = _assigned(module.body) | _helpers_that_assert(module)
    return [
        f"{line}: {problem}"
        for node in ast.walk(module)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
        for line, problem in sorted(_problems(node, known))
    ]


def _problems(test: ast.FunctionDef, known: dict[str, ast.expr]) -> Iterator[tuple[int, str]]:
    asserts = [node for node in ast.walk(test) if isinstance(node, ast.Assert)]
    for node in asserts:
        if isinstance(node.msg, ast.Compare | ast.BoolOp):
            yield node.lineno, "the message is a comparison: is the comma a mistake?"
    if any("given" in ast.unparse(decorator) for decorator in test.decorator_list):
        return  # other examples hold something
    known = known | _assigned(ast.walk(test))
    for node in ast.walk(test):
        for iterable in _looked_through(node):
            outside = [one for one in asserts if one is not node and one not in ast.walk(node)]
            if not _holds_something(iterable, known, outside):
                yield node.lineno, f"nothing says that '{ast.unparse(iterable)}' is not empty"


def _helpers_that_assert(module: ast.Module) -> dict[str, ast.expr]:
    """Functions of the module that assert something themselves stand for something."""
    return {
        node.name: ast.Constant("something")
        for node in module.body
        if isinstance(node, ast.FunctionDef)
        and any(isinstance(one, ast.Assert) for one in ast.walk(node))
    }


def _assigned(nodes: Iterable[ast.AST]) -> dict[str, ast.expr]:
    return {
        target.id: node.value
        for node in nodes
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def _looked_through(node: ast.AST) -> list[ast.expr]:
    """What a loop with asserts, or `assert all(...)`, goes through."""
    if isinstance(node, ast.For):
        return [node.iter] if any(isinstance(one, ast.Assert) for one in ast.walk(node)) else []
    if not isinstance(node, ast.Assert):
        return []
    return [
        generator.iter
        for call in ast.walk(node.test)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "all"
        for argument in call.args
        if isinstance(argument, ast.GeneratorExp)
        for generator in argument.generators
    ]


def _holds_something(
    iterable: ast.expr, known: dict[str, ast.expr], asserts: list[ast.Assert]
) -> bool:
    """Whether it is written out, made of what is, or looked at by another assert."""
    text = ast.unparse(iterable)
    if any(text in ast.unparse(one) for one in asserts):
        return True
    match iterable:
        case ast.List(elts=parts) | ast.Tuple(elts=parts) | ast.Set(elts=parts):
            return bool(parts)
        case ast.Dict(keys=keys):
            return bool(keys)
        case ast.Constant(value=str() as written):
            return bool(written)
        case ast.Call(func=ast.Name(id="range")):
            return True
        case ast.Call(func=ast.Attribute(attr=name)) if name in TEMPLATE:
            return True
        case ast.Name(id=name) if name.isupper() and name not in known:
            return True  # a table of another module
        case ast.Name(id=name) | ast.Call(func=ast.Name(id=name)) if name in known:
            without = {key: value for key, value in known.items() if key != name}
            return _holds_something(known[name], without, asserts)
        case ast.Call(func=ast.Name(id=name), args=parts) if name in WRAPPERS:
            return any(_holds_something(part, known, asserts) for part in parts)
        case ast.Call(func=ast.Attribute(value=whole, attr=name)) if name in VIEWS:
            return _holds_something(whole, known, asserts)
        case ast.Subscript(value=whole, slice=ast.Slice(lower=None)):
            return _holds_something(whole, known, asserts)
        case ast.ListComp(generators=[only]) | ast.DictComp(generators=[only]) if not only.ifs:
            return _holds_something(only.iter, known, asserts)
    return False
