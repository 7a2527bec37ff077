"""The codec endpoint: the Temporal UI shows encrypted payloads to those who hold its address.

https://docs.temporal.io/production-deployment/data-encryption#codec-server-setup
"""

from __future__ import annotations

from fastapi import APIRouter, HTTPException, Request, Response
from google.protobuf import json_format
from temporalio.api.common.v1 import Payloads

from tobiishi.api.context import Authorised, Context, InContext
from tobiishi.api.described import Described
from tobiishi.api.errors import answers
from tobiishi.codec import Codec, is_path_of, path_of
from tobiishi.errors import Invalid, NotFound, SettingError

router = APIRouter(
    prefix="/api/codec", tags=["codec"], dependencies=[Authorised], responses=answers(401, 404)
)
public = APIRouter(prefix="/codec", tags=["codec"])

#: Bytes. A page of a history is smaller.
MAX_BODY_BYTES = 10_000_000


class Endpoint(Described):
    """Where the Temporal UI has payloads decoded: to be set there, and told to nobody else."""

    url: str
    """The address. Whoever holds it can read payloads."""


@router.get("", summary="The codec endpoint to set in the Temporal UI")
async def show(request: Request, context: InContext) -> Endpoint:
    if context.settings.payload_keys is None:
        raise NotFound("TOBIISHI_PAYLOAD_KEYS is not set: nothing is encrypted")
    base = context.settings.public_url or str(request.base_url).rstrip("/")
    return Endpoint(url=base + path_of(context.signer))


@public.post("/{token}/decode", include_in_schema=False, max_body_size=MAX_BODY_BYTES)
async def decode(token: str, request: Request, context: InContext) -> Response:
    return await _answer(token, request, context, encode=False)


@public.post("/{token}/encode", include_in_schema=False, max_body_size=MAX_BODY_BYTES)
async def encode(token: str, request: Request, context: InContext) -> Response:
    return await _answer(token, request, context, encode=True)


@public.options("/{token}/{what}", include_in_schema=False)
async def preflight(token: str, what: str, request: Request) -> Response:
    """The UI is another origin, and its browser asks first."""
    return Response(status_code=204, headers=_headers(request))


async def _answer(token: str, request: Request, context: Context, *, encode: bool) -> Response:
    keys = context.settings.payload_keys
    if keys is None or not is_path_of(context.signer, token):
        raise HTTPException(404, "Not Found")
    codec = Codec(keys)
    try:
        given = json_format.Parse(await request.body(), Payloads())
        coded = await (codec.encode if encode else codec.decode)(given.payloads)
    except json_format.ParseError as error:
        raise Invalid(f"the body is not Temporal's payloads: {error}") from None
    except SettingError as error:
        raise Invalid(str(error)) from None
    body = json_format.MessageToJson(Payloads(payloads=coded))
    return Response(body, media_type="application/json", headers=_headers(request))


def _headers(request: Request) -> dict[str, str]:
    # Who holds the address may ask from any page.
    return {
        "Access-Control-Allow-Origin": request.headers.get("origin", "*"),
        "Access-Control-Allow-Methods": "POST, OPTIONS",
        "Access-Control-Allow-Headers": "content-type, x-namespace, authorization",
        "Access-Control-Max-Age": "3600",
        "Vary": "Origin",
    }
