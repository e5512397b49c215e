"""The interactive page of the OpenAPI document, all of it from files of this installation."""

from functools import cache
from importlib.resources import files

SWAGGER_UI = "fastapi_swagger.resources"  # a wheel that brings Swagger UI's files; none of its code is used
OURS = "service.openapi.page"

# Only files of this service, no inline script or style, no request elsewhere, no frame, no form.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "public, max-age=3600",
}
ASSETS = {  # file: its package and media type
    "swagger-ui-bundle.js": (SWAGGER_UI, "text/javascript"),
    "swagger-ui.css": (SWAGGER_UI, "text/css"),
    "favicon-32x32.png": (SWAGGER_UI, "image/png"),
    "start.js": (OURS, "text/javascript"),
}


@cache
def page() -> bytes:
    """The page. Its URLs are relative, so that it works behind any prefix."""
    return files(OURS).joinpath("page.html").read_bytes()


@cache
def asset(name: str) -> bytes:
    """One of `ASSETS`."""
    package, _ = ASSETS[name]
    return files(package).joinpath(name).read_bytes()
