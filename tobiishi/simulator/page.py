"""A page for people: the friends, what arrived for each, and a button that adds one."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import HTMLResponse
from starlette.routing import Route

_PAGE = """<!doctype html>
<html lang="ja">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>LINEシミュレーター | Tobiishi</title>
<link rel="icon" href="data:,">
<style>
  :root { --line: #06c755; --ink: #1f2a24; --quiet: #7a857f; --sky: #8cabd8; }
  * { box-sizing: border-box; }
  body { margin: 0; color: var(--ink); background: #f4f6f5;
         font: 15px/1.6 system-ui, "Hiragino Sans", "Noto Sans JP", sans-serif; }
  header { display: flex; flex-wrap: wrap; align-items: center; gap: 1em; padding: 1em 1.5em;
           background: #fff; border-bottom: 1px solid #e3e8e5; }
  h1 { margin: 0; font-size: 1.15rem; }
  header p { margin: 0; flex: 1; color: var(--quiet); font-size: .85rem; }
  button { font: inherit; border: 0; border-radius: 99px; padding: .4em 1.2em; cursor: pointer; }
  button.add { background: var(--line); color: #fff; font-weight: 600; }
  button.quiet { background: #eef1ef; color: var(--quiet); font-size: .8rem; }
  main { display: grid; grid-template-columns: repeat(auto-fill, minmax(19rem, 1fr)); gap: 1em;
         padding: 1.5em; align-items: start; }
  section { background: #fff; border-radius: 14px; overflow: hidden;
            box-shadow: 0 1px 4px #0001; }
  section > div:first-child { display: flex; align-items: center; gap: .7em; padding: .8em 1em; }
  section b { flex: 1; overflow-wrap: anywhere; }
  section small { display: block; color: var(--quiet); font-weight: 400; font-size: .68rem; }
  .talk { background: var(--sky); padding: 1em; min-height: 4em; max-height: 22em;
          overflow: auto; }
  .blocked .talk { filter: grayscale(1); opacity: .6; }
  .bubble { background: #fff; border-radius: 4px 14px 14px; padding: .45em .8em; width: fit-content;
            max-width: 92%; white-space: pre-wrap; overflow-wrap: anywhere; margin-top: .5em; }
  .talk time { display: block; font-size: .68rem; color: #fffd; }
  .empty { color: var(--quiet); padding: 2em; grid-column: 1 / -1; text-align: center; }
  .talk .none { color: #fffd; font-size: .8rem; }
</style>
<header>
  <h1>LINEシミュレーター</h1>
  <p>ここの友だちはすべて仮想のものです。実際のLINEには何も送られません。</p>
  <button class="add" id="add">友だちを追加</button>
</header>
<main id="friends"></main>
<script>
  const api = (path, options) => fetch("/_simulator/" + path, options);
  const make = (tag, text, className) => {
    const element = document.createElement(tag);
    if (text) element.textContent = text;
    if (className) element.className = className;
    return element;
  };
  const words = (message) =>
    message.text ?? message.altText ?? message.title ?? `〔${message.type}〕`;
  const post = (friend) => api("friends", {
    method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(friend),
  });
  function card(friend, sent) {
    const section = make("section", "", friend.status);
    const head = make("div");
    const name = make("b", friend.displayName);
    name.append(make("small", friend.userId));
    const blocked = friend.status === "blocked";
    const button = make("button", blocked ? "ブロック解除" : "ブロック", "quiet");
    button.onclick = async () => {
      await (blocked ? post({userId: friend.userId})
                     : api("friends/" + friend.userId, {method: "DELETE"}));
      show();
    };
    head.append(name, button);
    const talk = make("div", "", "talk");
    for (const each of sent) {
      for (const message of each.messages) talk.append(make("div", words(message), "bubble"));
      talk.append(make("time", new Date(each.acceptedAt).toLocaleString("ja-JP")));
    }
    if (!sent.length) talk.append(make("div", "まだメッセージはありません", "none"));
    section.append(head, talk);
    return section;
  }
  let seen = "";
  async function show() {
    const answers = await Promise.all([api("friends"), api("messages")]);
    const texts = await Promise.all(answers.map((answer) => answer.text()));
    if (texts.join() === seen) return;
    seen = texts.join();
    const [friends, messages] = texts.map((text) => JSON.parse(text));
    const main = document.getElementById("friends");
    const newest = friends.slice(-60).reverse();
    main.replaceChildren(...newest.map((friend) =>
      card(friend, messages.filter((message) => message.to === friend.userId))));
    if (!friends.length) main.append(make("p", "友だちはまだいません。", "empty"));
    if (friends.length > newest.length)
      main.append(make("p", `ほかに${friends.length - newest.length}人`, "empty"));
    for (const talk of document.querySelectorAll(".talk")) talk.scrollTop = talk.scrollHeight;
  }
  document.getElementById("add").onclick = async () => { await post({}); show(); };
  setInterval(() => show().catch(() => {}), 2000);
  show();
</script>
</html>
"""


async def index(request: Request) -> HTMLResponse:
    return HTMLResponse(_PAGE)


routes = [Route("/", index)]
