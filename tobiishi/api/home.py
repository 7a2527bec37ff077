"""/, for whoever opens the starter's address: what this is, and where to go on."""

from __future__ import annotations

from fastapi import APIRouter, Response

from tobiishi.api.pages import page

router = APIRouter(tags=["home"], include_in_schema=False)

#: Anybody may see it, so it tells nothing of this deployment. The addresses are relative, so that
#: a proxy may have it all under a path of its own.
_HOME = """
<title>Tobiishi 飛び石</title>
<h1>Tobiishi 飛び石</h1>
<p>LINE公式アカウントのステップ配信サーバーです。動いています。</p>
<ul>
<li><a href="docs">HTTP APIのリファレンス</a>（<a href="openapi.json">OpenAPI</a>）</li>
<li><a href="healthz">稼働確認</a></li>
<li><a href="readyz">準備状況</a>：データベースとTemporalに届くか</li>
</ul>
<p>使い方はREADME.ja.md、設定はdocs/settings.mdにあります。</p>
<div lang="en">
<p>Step messages for LINE Official Accounts. The server is running.</p>
<ul>
<li><a href="docs">Reference of the HTTP API</a> (<a href="openapi.json">OpenAPI</a>)</li>
<li><a href="healthz">Whether it runs</a></li>
<li><a href="readyz">Whether it can do its work</a>: the database and Temporal</li>
</ul>
<p>README.md tells how to use it, docs/settings.md what can be set.</p>
</div>
"""


@router.api_route("/", methods=["GET", "HEAD"])
async def show() -> Response:
    return page(200, _HOME)
