"""Every request that the URLconf and the OpenAPI document allow, made from these two alone."""

from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import cache
from itertools import combinations, product
from typing import Any

from django.db import transaction
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from drf_spectacular.generators import SchemaGenerator
from rest_framework.test import APIClient

from accounts.models import Organization, User
from courses.models import (
    Attachment,
    Chapter,
    Course,
    CourseGroup,
    DueExtension,
    Enrollment,
    Invitation,
    Problem,
    TestSet,
)
from executor.models import ReferenceSolution, Submission
from tests.authorization.matrix import MATRIX
from tests.authorization.test_matrix import methods_of, view_class
from tests.authorization.world import World

from .planting import CANARY

MISSING = 2**62
# What fills a placeholder of an address: the ids of all rows, or what else there is to try.
MODELS: dict[str, Any] = {
    "organization_id": Organization,
    "user_id": User,
    "course_id": Course,
    "chapter_id": Chapter,
    "problem_id": Problem,
    "test_set_id": TestSet,
    "enrollment_id": Enrollment,
    "extension_id": DueExtension,
    "submission_id": Submission,
    "solution_id": ReferenceSolution,
    "attachment_id": Attachment,
    "group_id": CourseGroup,
    "invitation_id": Invitation,
}
WORDS: dict[str, tuple[Any, ...]] = {
    "language": ("python", "nolang"),
    "order": (0, 1),
    # The admin's.
    "object_id": ("1",),
    "content_type_id": (1,),
    "app_label": ("courses", "accounts"),
    "url": ("courses/",),
    "path": ("x",),
}
# Where any value would do, but not every value in a moment.
VALUES = {"wait": ("0",), "lang": ("en",), "page_size": ("1", "200", "100000"), "page": ("1", "2", "last")}
# What other APIs understand, and this one might.
EXTRAS = (
    *("expand=test_sets,solutions,author,answers", "fields=author_notes,answers", "include=all", "omit=title"),
    *("as=staff", "as=student", "as=1", "format=json", "format=csv", "format=api", "depth=5", "page_size=200"),
    *("status=draft", "status=draft&status=published", "audience=exam_only", "ordering=author_notes", "cursor=x"),
    *(f"search={CANARY}", f"author_notes__contains={CANARY}", "include_left=true", "problems=all", "is_active=false"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """An address of the URLconf. `path` is as in the OpenAPI document; `arguments` are its placeholders."""

    name: str
    path: str
    pattern: URLPattern
    arguments: tuple[str, ...]

    @property
    def methods(self) -> set[str]:
        # A page of the admin says nothing of its methods; it is read, and posted to.
        is_told = view_class(self.pattern) is not None or not self.name.startswith("admin:")
        return methods_of(self.pattern) if is_told else {"get", "post"}


@dataclass(slots=True)
class Covered:
    """What has been asked: names of routes, and (route, parameter); and the routes that granted something."""

    routes: set[str] = field(default_factory=set)
    granted: set[str] = field(default_factory=set)
    parameters: set[tuple[str, str]] = field(default_factory=set)


@cache
def all_routes() -> tuple[Route, ...]:
    """Every address there is, the admin's too."""

    def walk(entries: list[Any], prefix: str, space: str, above: tuple[str, ...]) -> Iterator[Route]:
        for entry in entries:
            path = prefix + str(entry.pattern).removeprefix("^")
            arguments = (*above, *entry.pattern.converters, *entry.pattern.regex.groupindex)
            if isinstance(entry, URLResolver):
                inner = f"{space}{entry.namespace}:" if entry.namespace else space
                yield from walk(entry.url_patterns, path, inner, arguments)
            else:
                name = space + (entry.name or path)
                yield Route(name=name, path=_template(path), pattern=entry, arguments=tuple(dict.fromkeys(arguments)))

    return tuple(walk(get_resolver().url_patterns, "/", "", ()))


@cache
def parameters() -> dict[tuple[str, str], dict[str, dict[str, Any]]]:
    """{(path, method): {query parameter: its schema}}, by the OpenAPI document."""
    document = SchemaGenerator().get_schema(request=None, public=True)
    return {
        (path, method): {each["name"]: each["schema"] for each in operation["parameters"] if each["in"] == "query"}
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if operation.get("parameters")
    }


def answers(api: APIClient, world: World, covered: Covered, only: str = "") -> Iterator[tuple[str, Any]]:
    """(what was asked, the answer) for every route on every row, by every method, with every parameter.

    What a request changes is undone at once. With `only` it is the routes whose names begin so.
    """
    for route in (each for each in all_routes() if each.name.startswith(only)):
        readable = []
        for number, address in enumerate(addresses(route)):
            covered.routes.add(route.name)
            for method in ("get", "head", "options"):
                response = _asked(getattr(api, method), address)
                yield f"{method} {address}", response
                if method == "get" and response.status_code == 200:
                    readable.append(address)
            for method in sorted(route.methods - {"get"}):
                for told, ask in _writes(api, world, route, method, address, has_all=not number):
                    response = ask()
                    yield told, response
                    if response.status_code < 300:
                        covered.granted.add(route.name)
        if readable:
            covered.granted.add(route.name)
        yield from _with_parameters(api, route, readable, covered)


def addresses(route: Route) -> list[str]:
    """The route on every row there is, and on one that there is not."""
    choices = [_values_of(argument) for argument in route.arguments]
    return [_reversed(route, dict(zip(route.arguments, chosen, strict=True))) for chosen in product(*choices)]


def text_of(response: Any) -> str:
    """Everything of an answer that reaches the caller, in small letters."""
    body = b"".join(response) if response.streaming else response.content
    head = "\n".join(f"{name}: {value}" for name, value in response.headers.items())
    return f"{head}\n{response.cookies.output()}\n{body.decode('utf-8', 'replace')}".casefold()


def _reversed(route: Route, arguments: dict[str, Any]) -> str:
    try:
        return reverse(route.name, kwargs=arguments)
    except Exception:  # noqa: BLE001 - what has no name is asked by its path
        return route.path.format(**arguments)


def _values_of(argument: str) -> tuple[Any, ...]:
    """Raises KeyError where it is not known what fills a placeholder: then say it above."""
    if argument in WORDS:
        return WORDS[argument]
    return (*MODELS[argument].objects.order_by("pk").values_list("pk", flat=True), MISSING)


def _with_parameters(api: APIClient, route: Route, readable: list[str], covered: Covered) -> Iterator[tuple[str, Any]]:
    known = parameters().get((route.path, "get"), {})
    single = {name: [f"{name}={value}" for value in _values(name, schema)] for name, schema in known.items()}
    covered.parameters.update((route.path, name) for name in single)
    # Where nothing may be read, parameters are refused or never looked at.
    for number, address in enumerate(readable or addresses(route)[:1]):
        for queries in single.values():
            # Every value on one row of each kind, some on the others.
            for query in queries[:2] if number else queries:
                yield f"get {address}?{query}", _asked(api.get, f"{address}?{query}")
    for address in readable[:1] if known else []:
        for one, two in combinations(single.values(), 2):
            for query in (f"{a}&{b}" for a in one[:1] for b in two[:2]):
                yield f"get {address}?{query}", _asked(api.get, f"{address}?{query}")
    for address in readable[:1] if route.path.startswith("/api/v1/") else []:
        for query in EXTRAS:
            yield f"get {address}?{query}", _asked(api.get, f"{address}?{query}")
    for method in route.methods - {"get"}:
        ask = getattr(api, method)
        for name, schema in parameters().get((route.path, method), {}).items():
            covered.parameters.add((route.path, name))
            address = f"{addresses(route)[0]}?{name}={_values(name, schema)[0]}"
            yield f"{method} {address}", _asked(ask, address)


def _values(name: str, schema: dict[str, Any]) -> tuple[Any, ...]:
    if name in VALUES:
        return VALUES[name]
    if allowed := schema.get("enum") or schema.get("items", {}).get("enum"):
        return tuple(allowed)
    if schema["type"] == "integer" or f"{name}_id" in MODELS:
        ids = _values_of(f"{name}_id") if f"{name}_id" in MODELS else (0, 1)
        return (*ids, "x")
    if schema["type"] == "boolean":
        return ("true", "false")
    return (CANARY, "a", "python")


def _writes(
    api: APIClient, world: World, route: Route, method: str, address: str, *, has_all: bool
) -> Iterator[tuple[str, Callable[[], Any]]]:
    """The body that would be granted; with `has_all` also one of no known field, and one that is no JSON."""
    ask = getattr(api, method)
    for row in MATRIX:
        if (row.route, row.method) == (route.name, method) and row.body is not None:
            how = {"format": row.format} if row.format else {}
            yield (
                f"{method} {address} granted",
                lambda row=row, how=how: _undone(lambda: ask(address, row.body(world), **how), row.is_durable),
            )
    if not has_all:
        return
    is_durable = any((row.route, row.method) == (route.name, method) and row.is_durable for row in MATRIX)
    yield f"{method} {address} empty", lambda: _undone(lambda: ask(address, {"x": 1}), is_durable)
    yield (
        f"{method} {address} broken",
        lambda: _undone(lambda: api.generic(method.upper(), address, "{", "application/json"), is_durable),
    )


def _undone(ask: Callable[[], Any], is_durable: bool = False) -> Any:
    """The answer, without its effects, unless the service must commit by itself."""
    with nullcontext() if is_durable else transaction.atomic():
        response = ask()
        if not is_durable:
            transaction.set_rollback(True)
        return response


def _asked(ask: Callable[[str], Any], address: str) -> Any:
    return _undone(lambda: ask(address))


def _template(path: str) -> str:
    """`/courses/<id:course_id>/` as the OpenAPI document writes it."""
    parts = path.split("<")
    return parts[0] + "".join(
        f"{{{each.partition('>')[0].rpartition(':')[2]}}}{each.partition('>')[2]}" for each in parts[1:]
    )
