"""Problem documents in Spanish: titles, details and field messages, with the client's values kept as they are."""

import ast
import re
import string
from collections.abc import Iterator
from pathlib import Path

import pytest

import schemas.errors
from schemas.errors import FieldError, InvalidRequest, ModelNotFound, ServiceError
from schemas.sentences import Sentence, either, words
from service.http.problems import INTERNAL_DETAIL, http_problem
from service.http.translation import in_language, said, table
from service.validation.document.field_errors import BOUNDS, PLAIN
from tests.paths import ROOT
from tests.service.conftest import SETTINGS, client_of

# Modules of the workers whose every text is for clients: why not, and what to know of a result.
OF_CLIENTS = (
    "workers/engine/solo/hooks.py",
    "workers/evaluation/attribution_warnings.py",
    "workers/jobs/result_warnings.py",
    "workers/models/support_rules.py",
    "workers/transform/hookable/defects.py",
    "workers/transform/hookable/operations.py",
)
LEFT_ENGLISH = {"model", "version"}  # a field's name at this place of the call
ATTACKS = ["{reason}", "{0.__class__}", "%s", "no such model", "{{", "<script>", "\u202etxt", "x" * 5000]


def classes(of: type[ServiceError] = ServiceError) -> Iterator[type[ServiceError]]:
    yield of
    for kind in of.__subclasses__():
        yield from classes(kind)


def raised_sentences() -> dict[str, str]:
    """Every sentence that the code gives to an error, by its English, with its file."""
    errors = {kind.__name__ for kind in classes()} | {"PictureRejected", "NotBase64", "http_problem", "words"}
    found: dict[str, str] = {}
    for package in ("service", "broker", "schemas", "workers"):
        validators = {"ValueError"} if package == "schemas" else set()
        for path in sorted((ROOT / package).rglob("*.py")):
            if "openapi" in path.parts:
                continue
            for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(call, ast.Call):
                    for text in _sentences(call, errors | validators):
                        found[text] = str(path.relative_to(ROOT))
    return found


def _sentences(call: ast.Call, errors: set[str]) -> Iterator[str]:
    name, _, method = ast.unparse(call.func).partition(".")
    if name == "Sentence":
        yield from _constants(call.args[0])
    elif name in errors and not (name == "words" and method):
        for argument in call.args:
            yield from (words(text).template for text in _constants(argument))


def _constants(node: ast.expr) -> Iterator[str]:
    if isinstance(node, ast.IfExp):
        yield from _constants(node.body)
        yield from _constants(node.orelse)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value


def placeholders(template: str) -> set[tuple[str, str | None]]:
    return {(name, conversion) for _, name, _, conversion in string.Formatter().parse(template) if name is not None}


def test_every_sentence_is_translated() -> None:
    missing = {
        text: file
        for text, file in raised_sentences().items()
        if text not in table("es") and text not in LEFT_ENGLISH and not re.fullmatch(r"[a-z_.]*", text)
    }
    assert missing == {}


@pytest.mark.parametrize("file", OF_CLIENTS)
def test_every_reason_and_warning_is_translated(file: str) -> None:
    tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
    docstrings = {
        node.body[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.FunctionDef | ast.ClassDef) and isinstance(node.body[0], ast.Expr)
    }
    texts = {
        node.value
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node not in docstrings
    }
    texts = {text for text in texts if re.search(r"[a-z]+ [a-z]+ [a-z]+", text)}
    assert texts
    assert {text for text in texts if not {text, words(text).template} & table("es").keys()} == set()


def test_no_error_is_made_of_an_f_string() -> None:
    """Its words and its parameters could not be told apart."""
    made: list[str] = []
    errors = {kind.__name__ for kind in classes()}
    paths = [path for package in ("service", "broker", "workers") for path in (ROOT / package).rglob("*.py")]
    for path in sorted(paths):
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(call, ast.Call) and ast.unparse(call.func).partition(".")[0] in errors:
                made += [f"{path.name}:{call.lineno}" for one in call.args if isinstance(one, ast.JoinedStr)]
    assert made == []


def test_the_words_of_every_sentence_stand_where_it_is_made() -> None:
    """Else the test above could not read them. Pydantic's have a table."""
    made = [
        path.name
        for package in ("service", "broker", "schemas", "workers")
        for path in sorted((ROOT / package).rglob("*.py"))
        for call in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(call, ast.Call)
        and ast.unparse(call.func) == "Sentence"
        and not isinstance(call.args[0], ast.Constant)
    ]
    assert made == ["field_errors.py", "sentences.py"]
    assert set(BOUNDS.values()) <= set(table("es"))
    assert set(PLAIN.values()) <= set(table("es"))


def test_every_title_is_translated() -> None:
    for kind in classes():
        assert kind.title in table("es"), kind
    for status in (400, 403, 404, 405, 421):
        assert http_problem(status, "").title in table("es")
    assert INTERNAL_DETAIL in table("es")


def test_both_languages_have_the_same_parameters() -> None:
    for english, spanish in table("es").items():
        assert placeholders(english) == placeholders(spanish), english
        assert english.count("`") == spanish.count("`"), english
        assert re.findall(r"\b(?:ATTRIBUTION_\w+|X-[\w-]+|[a-z]+_[a-z_]+)", english) == re.findall(
            r"\b(?:ATTRIBUTION_\w+|X-[\w-]+|[a-z]+_[a-z_]+)", spanish
        )


def test_each_file_that_is_translated_is_in_the_packages() -> None:
    assert (Path(schemas.errors.__file__).parents[1] / "service" / "http" / "problems.es.toml").is_file()


def test_sentences_inside_sentences() -> None:
    names = either("'a'", "'b'")
    made = Sentence("{problem}; did you mean {names}?", problem=words("the model has no such layer"), names=names)
    error = InvalidRequest.at(["method", "layer"], made)
    spanish = in_language(error.problem(), "es")
    assert spanish.detail == "method.layer: el modelo no tiene esa capa; ¿quiso decir 'a' o 'b'?"
    assert spanish.errors == [
        FieldError(loc=["method", "layer"], msg="el modelo no tiene esa capa; ¿quiso decir 'a' o 'b'?")
    ]
    assert (spanish.type, spanish.status) == (error.problem().type, 422)
    assert error.problem().detail == "method.layer: the model has no such layer; did you mean 'a' or 'b'?"


@pytest.mark.parametrize("value", ATTACKS)
def test_a_parameter_is_never_taken_for_words(value: str) -> None:
    sentence = Sentence("no model {name}", name=value)
    assert sentence == f"no model {value}"
    assert said(sentence, "es") == f"no existe el modelo {value}"
    assert said(words(value), "en") == value
    plain = ModelNotFound(f"an unknown sentence about {value}")
    assert in_language(plain.problem(), "es").detail == f"an unknown sentence about {value}"


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("path", "status", "title", "detail"),
    [
        ("/nowhere", 404, "No encontrado", "No existe esa ruta."),
        ("/methods/salency", 404, "No encontrado", "No existe ese método; ¿quiso decir 'saliency' o 'occlusion'?"),
        ("/methods?lang=de", 422, "La petición no es válida", "Un parámetro de la petición no es válido."),
        ("/jobs/short", 503, "El almacén de trabajos no está disponible", "el almacén de trabajos no"),
    ],
)
async def test_over_http(path: str, status: int, title: str, detail: str) -> None:
    async with client_of(None, SETTINGS) as client:
        spanish = await client.get(path, headers={"Accept-Language": "es-ES,en;q=0.3"})
        english = await client.get(path)
    for response, language in ((spanish, "es"), (english, "en")):
        assert response.status_code == status
        assert response.headers["content-type"] == "application/problem+json"
        assert response.headers["content-language"] == language
        assert response.headers["vary"] == "Accept-Language"
    assert spanish.json()["title"] == title
    assert spanish.json()["detail"].startswith(detail[:30])
    assert spanish.json()["type"] == english.json()["type"]
    assert english.json()["title"] != title


@pytest.mark.anyio
async def test_refused_fields_over_http() -> None:
    baseline = {"tensor": {"shape": [2], "data": [1, 2, 3]}}
    method = {"name": "integrated_gradients", "n_steps": 1, "baseline": baseline}
    body = {"model": "m", "input": {"picture": "x"}, "method": method}
    async with client_of(None, SETTINGS) as client:
        response = await client.post("/explain?lang=es", json=body)
        middleware = await client.get("/methods", headers={"Host": "evil.example", "Accept-Language": "es"})
    messages = {".".join(map(str, error["loc"])): error["msg"] for error in response.json()["errors"]}
    assert messages["input.picture"] == "campo desconocido; ¿quiso decir 'image'?"
    assert messages["method.n_steps"].startswith("debe ser mayor o igual que 2")
    assert messages["method.baseline.tensor"] == "la forma [2] necesita 2 números; data contiene 3"
    assert response.json()["detail"].endswith("más)")
    assert middleware.status_code == 421
    assert middleware.json()["title"] == "Petición mal dirigida"


@pytest.mark.anyio
async def test_one_request_does_not_set_the_language_of_the_next() -> None:
    async with client_of(None, SETTINGS) as client:
        answers = [
            (await client.get("/nowhere", headers={"Accept-Language": language})).json()["detail"]
            for language in ("es", "en", "es", "fr")
        ]
    assert answers == ["No existe esa ruta.", "There is no such route."] * 2


@pytest.mark.anyio
async def test_header_values_of_any_kind_are_harmless() -> None:
    async with client_of(None, SETTINGS) as client:
        for value in ("", ";;;,,,", "es;q=oops", "," * 9000, "\xff\xfe", "es;q=0, en;q=1"):
            response = await client.get("/nowhere", headers={b"Accept-Language": value.encode("latin-1")})
            assert response.status_code == 404
            assert response.headers["content-language"] == "en"
