"""Holds what a gateway answers against the OpenAPI document that it serves."""

import json
import pathlib
import re

import jsonschema

DOCUMENT = json.loads((pathlib.Path(__file__).resolve().parents[2] / "src/gateway/http/openapi.json").read_text(encoding="utf-8"))


def _pattern(template):
    return re.compile(re.sub(r"\\{[^/]+?\\}", "[^/]+", re.escape(template)) + "$")


_PATHS = sorted(((_pattern(template), item) for template, item in DOCUMENT["paths"].items()),
                key=lambda entry: entry[0].pattern.count("[^/]+"))


def _operation(method, path):
    for pattern, item in _PATHS:
        if pattern.match(path):
            return item.get(method.lower())
    return None


def check(method, target, answer):
    """Fails where the answer to a call of /v2/ is not one that the document names."""
    path = target.split("?")[0]
    if not path.startswith("/v2/"):
        return
    if answer.headers.get("Content-Type", "").startswith("application/problem+json"):
        _validate(json.loads(answer.body), {"$ref": "#/components/schemas/Problem"})
        assert json.loads(answer.body)["status"] == answer.status
        assert answer.status >= 400, (method, target, answer.status)
        return
    operation = _operation(method, path)
    assert operation is not None, f"{method} {path} is not in the document, and was answered with {answer.status}"
    response = operation["responses"].get(str(answer.status))
    assert response is not None, f"{method} {path}: the document knows no answer {answer.status}: {answer.body}"
    if "content" not in response:
        assert not answer.body, (method, target, answer.body)
        return
    [(kind, content)] = response["content"].items()
    assert answer.headers["Content-Type"].split(";")[0] == kind, (method, target, answer.headers["Content-Type"])
    if kind == "application/json":
        _validate(json.loads(answer.body), content["schema"])


def _validate(value, schema):
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(value)
