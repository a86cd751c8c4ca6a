"""The command: imports the application, lets every part describe it, writes the JSON."""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib
import json
import os
import sys
import traceback
from typing import Any

# All parts before the application's own modules, which may have any name.
from . import application, guard, models, routes, tables
from .metadata import resolve
from .report import Report, call_kind, qualified

#: The form of the JSON: it grows when a field changes its meaning.
FORMAT = 1


class CannotInspect(Exception):
    """Why there is nothing to describe, and what to do about it."""


def main() -> None:
    args = arguments()
    # What the application prints must not stand in a result: descriptor 1 becomes descriptor 2.
    sys.stdout.flush()
    os.dup2(2, 1)
    code = 0
    try:
        found = inspect_application(args)
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump(found, file, ensure_ascii=False, allow_nan=False, default=str)
    except CannotInspect as error:
        with open(args.output, "w", encoding="utf-8") as file:
            json.dump({"error": str(error)}, file)
        code = 3
    except BaseException:
        traceback.print_exc()
        code = 4
    sys.stderr.flush()
    # Threads that the import has started would keep the process.
    os._exit(code)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="inspect", description=__doc__)
    parser.add_argument("--app", required=True)
    parser.add_argument("--directory", default=".")
    parser.add_argument("--output", required=True)
    parser.add_argument("--metadata", action="append", default=[])
    parser.add_argument("--allow-connections", action="store_true")
    return parser.parse_args()


def inspect_application(args: argparse.Namespace) -> dict[str, Any]:
    directory = os.path.abspath(args.directory)
    if not os.path.isdir(directory):
        raise CannotInspect(f"there is no folder {directory}")
    os.chdir(directory)
    # The first is the inspector's own folder.
    sys.path[0] = directory
    sys.argv = [sys.argv[0]]
    report = Report(directory)
    if not args.allow_connections:
        guard.forbid_connections(report)
    guard.forbid_table_creation(report)
    app = load(report, args.app)
    named: list[str] = args.metadata
    for name in named:
        try:
            resolve(name)
        except LookupError as error:
            raise CannotInspect(f"--metadata {error}") from error
        except Exception as error:
            raise CannotInspect(import_failure(name, directory, error)) from error
    guard.permit_table_creation()
    found: dict[str, Any] = {
        "format": FORMAT,
        "app": args.app,
        "versions": application.versions(),
        "application": {},
        "openapi": None,
        "routes": [],
        "models": {},
        "metadata": [],
    }
    with report.attempt("document"):
        found["openapi"] = application.document(report, app)
    with report.attempt("application"):
        found["application"] = application.describe_application(report, app)
    with report.attempt("routes"):
        found["routes"] = routes.describe_routes(report, app.routes, app=app)
    with report.attempt("models"):
        found["models"] = models.describe_models(report)
    with report.attempt("tables"):
        found["metadata"] = tables.describe_metadata(report, named)
    found["callables"] = report.callables
    found["remarks"] = report.remarks
    return found


def load(report: Report, name: str) -> Any:
    """The application of `module:attribute`; a function without parameters is called for it."""
    module_name, _, path = name.partition(":")
    path = path or "app"
    try:
        importlib.import_module(module_name)
    except BaseException as error:
        raise CannotInspect(import_failure(module_name, report.directory, error)) from error
    called = path.endswith("()")
    try:
        app = resolve(f"{module_name}:{path[:-2] if called else path}")
    except LookupError as error:
        raise CannotInspect(f"{error}; {candidates(module_name)}") from error
    if called or (call_kind(app) == "function" and not hasattr(app, "routes")):
        try:
            app = app()
        except BaseException as error:
            raise CannotInspect(f"`{path}` of {module_name} fails: {short(error)}") from error
    return unwrapped(report, app, name)


def unwrapped(report: Report, app: Any, name: str) -> Any:
    """The application below others that wrap it, such as a middleware or socket.io."""
    seen: list[str] = []
    inner = app
    for _ in range(20):
        if hasattr(inner, "routes") and hasattr(inner, "router"):
            if seen:
                report.remark("application", f"is wrapped in {', '.join(seen)}")
            return inner
        seen.append(qualified(type(inner)))
        names = ("app", "other_asgi_app", "asgi_app", "application", "_app")
        inner = next((getattr(inner, one) for one in names if hasattr(inner, one)), None)
        if inner is None:
            break
    raise CannotInspect(
        f"`{name}` is no FastAPI application but {qualified(type(app))}; "
        f"{candidates(name.partition(':')[0])}"
    )


def candidates(module_name: str) -> str:
    """What the module has that could be meant."""
    found = []
    with contextlib.suppress(Exception):
        for name, value in vars(sys.modules[module_name]).items():
            if hasattr(type(value), "openapi") and hasattr(value, "routes"):
                found.append(f"{module_name}:{name}")
    if found:
        return f"it has {', '.join(sorted(found))}"
    return (
        "name the variable that holds the application, like app.main:app, or a function that "
        "makes it, like app.main:create_app()"
    )


def import_failure(module_name: str, directory: str, error: BaseException) -> str:
    """What went wrong while a module was imported, and what to do."""
    module_name = module_name.partition(":")[0]
    text = short(error)
    where = innermost(error, directory)
    advice = ""
    name = getattr(error, "name", None)
    if isinstance(error, ModuleNotFoundError) and name:
        if name == module_name or module_name.startswith(f"{name}."):
            advice = (
                f"there is no module `{name}` in {directory}: name the folder that holds it with "
                "--directory, or another module with --app"
            )
        elif os.path.exists(os.path.join(directory, name.split(".")[0] + ".py")) or os.path.isdir(
            os.path.join(directory, name.split(".")[0])
        ):
            advice = f"`{name}` is in {directory}, but not as a module"
        else:
            advice = (
                f"`{name}` is not installed for {sys.executable}: name the application's own "
                "Python with --python, or the folder that holds the module with --directory"
            )
    elif isinstance(error, KeyError) and "os" in where_module(error):
        name = text.split(": ")[-1]
        advice = f"set the environment variable {name} (--env NAME=VALUE) and run this again"
    elif type(error).__name__ == "ValidationError" and "ettings" in (text + where):
        advice = (
            f"settings are missing or wrong: set the environment variables {variables(error)} "
            "(--env NAME=VALUE; values that only look right are enough, as nothing connects)"
        )
    elif isinstance(error, guard.ConnectionNotAllowed):
        advice = "the application connects while it is imported: permit it with --allow-connections"
    elif isinstance(error, SystemExit):
        advice = "the module ends the process when it is imported; its messages are above"
    elif isinstance(error, SyntaxError):
        advice = f"Python {sys.version.split()[0]} cannot read it: is it the application's own?"
    lines = [f"`{module_name}` cannot be imported: {text}"]
    if where:
        lines.append(f"  at {where}")
    if advice:
        lines.append(f"  {advice}")
    return "\n".join(lines)


def variables(error: Any) -> str:
    """The environment variables of the fields that pydantic's settings lack."""
    names = [str(one["loc"][0]) for one in error.errors() if one.get("loc")]
    prefix, upper = "", True
    for cls in gc.get_objects():
        with contextlib.suppress(Exception):
            if type(cls).__name__ == "ModelMetaclass" and cls.__name__ == error.title:
                config = cls.model_config
                prefix = config.get("env_prefix", "")
                upper = not config.get("case_sensitive", False)
    names = [prefix + name for name in names]
    return ", ".join(name.upper() if upper else name for name in names) or "that these fields name"


def short(error: BaseException) -> str:
    text = str(error)
    text = text if len(text) < 2000 else text[:2000] + "…"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def innermost(error: BaseException, directory: str) -> str:
    """The application's own line that was executed last."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [
        frame
        for frame in frames
        if frame.filename.startswith(directory + os.sep) and "site-packages" not in frame.filename
    ]
    if not own:
        return ""
    frame = own[-1]
    return f"{os.path.relpath(frame.filename, directory)}:{frame.lineno}: {frame.line}"


def where_module(error: BaseException) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    return os.path.basename(frames[-1].filename).partition(".")[0] if frames else ""
