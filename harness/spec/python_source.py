"""Python functions that YAML files point at: found and hashed without importing, imported only to be called."""

from __future__ import annotations

import ast
import hashlib
import importlib
import importlib.util
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

from harness.errors import UserError
from harness.spec.library import data_path, did_you_mean

_LOADING = threading.RLock()
_FORM = "write `file.py:name` for a file beside this one, or `package.module:name`"


def source_file(reference: str, base: Path) -> tuple[Path, str]:
    """(source file, function name) of `file.py:name` or `package.module:name`, without importing it.

    Raises `UserError` when the file or the function is not there, or is not Python.
    """
    module, _, name = reference.rpartition(":")
    if not module or not name.isidentifier():
        raise UserError(f"{reference!r} names no function: {_FORM}")
    if module.endswith(".py"):
        path = Path(module) if Path(module).is_absolute() else data_path(module, base)
        if not path.is_file():
            raise UserError(f"there is no file {module!r}")
    else:
        path = _module_file(module)
    _check_defines(path, name, reference)
    return path, name


def python_digest(reference: str, base: Path) -> list[str]:
    """What of a function counts: the hash of its source file, and its name."""
    path, name = source_file(reference, base)
    return [hashlib.sha256(path.read_bytes()).hexdigest(), name]


def load_python(reference: str, base: Path) -> Callable[..., Any]:
    """Import the function. `base` is the folder of the YAML file. Raises `UserError`."""
    path, name = source_file(reference, base)
    module_name = reference.rpartition(":")[0]
    try:
        module = _load_file(path) if module_name.endswith(".py") else importlib.import_module(module_name)
    except (Exception, SystemExit) as error:
        raise UserError(f"{reference}: importing it failed: {type(error).__name__}: {error}") from error
    function = getattr(module, name, None)
    if not callable(function):
        raise UserError(f"{reference}: {name!r} is not a function")
    return function  # type: ignore[no-any-return]


def _load_file(path: Path) -> ModuleType:
    content = path.read_bytes()
    module_name = f"_harness_file_{hashlib.sha256(str(path).encode() + content).hexdigest()[:16]}"
    with _LOADING, ExitStack() as undo:  # another thread's module is in sys.modules before it has run to its end
        if module_name in sys.modules:
            return sys.modules[module_name]
        spec = importlib.util.spec_from_file_location(module_name, path)
        if spec is None or spec.loader is None:
            raise UserError(f"{path} cannot be loaded as Python")
        module = importlib.util.module_from_spec(spec)
        sys.modules[module_name] = module
        undo.callback(sys.modules.pop, module_name)
        exec(compile(content, str(path), "exec"), module.__dict__)  # noqa: S102 - not through __pycache__
        undo.pop_all()
    return module


def _module_file(module: str) -> Path:
    parts = module.split(".")
    if not all(part.isidentifier() for part in parts):
        raise UserError(f"{module!r} is not the name of a module: {_FORM}")
    spec: ModuleSpec | None = None
    for index in range(len(parts)):
        name = ".".join(parts[: index + 1])
        spec = _find(name, spec.submodule_search_locations if spec else None)
        if spec is None:
            raise UserError(f"there is no installed module {name!r}: {_FORM}")
        if index < len(parts) - 1 and spec.submodule_search_locations is None:
            raise UserError(f"{name!r} is a module, not a package")
    if spec is None or not spec.origin or not spec.origin.endswith(".py"):
        raise UserError(f"module {module!r} has no Python source that could be hashed")
    return Path(spec.origin)


def _find(name: str, places: Sequence[str] | None) -> ModuleSpec | None:
    for finder in sys.meta_path:
        spec = finder.find_spec(name, places, None)
        if spec is not None:
            return spec
    return None


def _check_defines(path: Path, name: str, reference: str) -> None:
    try:
        tree = ast.parse(path.read_bytes(), str(path))
    except (SyntaxError, ValueError) as error:
        line = f" line {error.lineno}" if isinstance(error, SyntaxError) and error.lineno else ""
        what = error.msg if isinstance(error, SyntaxError) else str(error)
        raise UserError(f"{path.name}{line} is not valid Python: {what}") from None
    names = _top_level_names(tree)
    if name not in names and "*" not in names:
        raise UserError(f"{reference!r}: {path.name} defines no {name!r}{did_you_mean(name, sorted(names))}")


def _top_level_names(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names.add(node.name)
        elif isinstance(node, ast.Import | ast.ImportFrom):
            names.update((alias.asname or alias.name).split(".")[0] for alias in node.names)
        else:
            names.update(n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store))
    return names
