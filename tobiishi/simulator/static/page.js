// The page's own script: every text comes from messages and is put in as text, never as HTML.
"use strict";
const api = (path, options) => fetch("/_simulator/" + path, options);
const send = (path, body) => api(path, {
  method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body),
});
const make = (tag, text, className) => {
  const element = document.createElement(tag);
  if (text) element.textContent = text;
  if (className) element.className = className;
  return element;
};
const isWeb = (url) => /^https?:\/\//.test(url);

// What a friend does: webhook events, as LINE sends them.
const event = async (friend, what) => {
  await send("events", {userId: friend, ...what});
  show();
};
const write = (friend, text) => event(friend, {type: "message", message: {type: "text", text}});

function link(url, text, className) {
  const element = make("a", text, className);
  if (isWeb(url)) {
    element.href = url;
    element.target = "_blank";
    element.rel = "noreferrer";
  }
  return element;
}

function button(friend, action) {
  const label = action.label || action.text || action.uri || action.type;
  if (action.type === "uri") return link(action.uri, label, "act");
  const element = make("button", label, "act");
  element.onclick = async () => {
    if (action.type === "message") return write(friend, action.text);
    if (action.type === "clipboard") return navigator.clipboard.writeText(action.clipboardText);
    if (action.type !== "postback" && action.type !== "datetimepicker") return;
    if (action.displayText) await write(friend, action.displayText);
    const postback = {data: action.data};
    if (action.type === "datetimepicker") postback.params = {[action.mode]: "2030-01-01"};
    await event(friend, {type: "postback", postback});
  };
  return element;
}

// Texts, images and actions, wherever they are in a template, a flex message or an imagemap.
function parts(friend, node, bubble) {
  if (Array.isArray(node)) return node.forEach((each) => parts(friend, each, bubble));
  if (!node || typeof node !== "object") return;
  if (typeof node.title === "string") bubble.append(make("b", node.title));
  if (typeof node.text === "string" && !node.uri && !("data" in node)) text(node.text, bubble);
  for (const image of [node.url, node.thumbnailImageUrl, node.imageUrl])
    if (typeof image === "string" && isWeb(image)) picture(image, bubble);
  if (node.linkUri) bubble.append(link(node.linkUri, node.label || node.linkUri, "act"));
  const action = node.action || node.defaultAction;
  if (action) bubble.append(button(friend, action));
  for (const each of node.actions || []) {
    if (each.linkUri) bubble.append(link(each.linkUri, each.label || each.linkUri, "act"));
    else bubble.append(button(friend, each));
  }
  for (const below of ["template", "contents", "columns", "header", "hero", "body", "footer"])
    parts(friend, node[below], bubble);
}

function text(words, bubble) {
  const line = make("div");
  for (const part of words.split(/(https?:\/\/[\w\-.~:/?#[\]@!$&'()*+,;=%]+)/))
    line.append(isWeb(part) ? link(part, part) : part);
  bubble.append(line);
}

function picture(url, bubble) {
  const image = make("img");
  image.loading = "lazy";
  image.alt = "";
  image.src = url;
  image.onerror = () => image.replaceWith(make("small", "〔画像〕"));
  bubble.append(image);
}

function bubbleOf(friend, message) {
  const bubble = make("div", "", "bubble");
  switch (message.type) {
    case "text":
    case "textV2":
      text(message.text, bubble);
      break;
    case "image":
      picture(message.previewImageUrl, bubble);
      break;
    case "video": {
      bubble.append("〔動画〕");
      const watch = make("button", "最後まで再生する", "act");
      watch.disabled = !message.trackingId;
      watch.onclick = () => event(friend, {
        type: "videoPlayComplete", videoPlayComplete: {trackingId: message.trackingId},
      });
      bubble.append(watch);
      break;
    }
    case "template":
    case "flex":
    case "imagemap":
      parts(friend, message, bubble);
      if (!bubble.childNodes.length) text(message.altText, bubble);
      break;
    default:
      text(message.title || `〔${message.type}〕`, bubble);
  }
  return bubble;
}

function talkOf(friend, items) {
  const talk = make("div", "", "talk");
  for (const each of items) {
    if (each.mine) talk.append(make("div", each.mine, "bubble me"));
    for (const message of each.messages || []) talk.append(bubbleOf(friend.userId, message));
    talk.append(make("time", new Date(each.at).toLocaleString("ja-JP")));
  }
  const last = items.at(-1);
  const quick = last && last.messages && last.messages.at(-1).quickReply;
  if (quick) {
    const row = make("div", "", "quick");
    for (const item of quick.items) row.append(button(friend.userId, item.action));
    talk.append(row);
  }
  if (!items.length) talk.append(make("div", "まだメッセージはありません", "none"));
  return talk;
}

function card(friend, items) {
  const section = make("section", "", friend.status);
  const head = make("div");
  const name = make("b", friend.displayName);
  name.append(make("small", friend.userId));
  const blocked = friend.status === "blocked";
  const block = make("button", blocked ? "ブロック解除" : "ブロック", "quiet");
  block.onclick = async () => {
    await (blocked ? send("friends", {userId: friend.userId})
                   : api("friends/" + friend.userId, {method: "DELETE"}));
    show();
  };
  head.append(name, block);
  const form = make("form");
  const input = make("input");
  input.placeholder = "メッセージを入力";
  input.setAttribute("aria-label", `${friend.displayName}のメッセージ`);
  form.append(input, make("button", "送信", "quiet"));
  form.onsubmit = (submitted) => {
    submitted.preventDefault();
    if (input.value) write(friend.userId, input.value);
    input.value = "";
  };
  section.append(head, talkOf(friend, items), form);
  return section;
}

let seen = "";
async function show() {
  const answers = await Promise.all(["friends", "messages", "webhooks"].map((path) => api(path)));
  const texts = await Promise.all(answers.map((answer) => answer.text()));
  const [friends, messages, webhooks] = texts.map((each) => JSON.parse(each));
  const written = webhooks.flatMap((webhook) => webhook.events)
    .filter((each) => each.type === "message" && each.source && each.message.text)
    .map((each) => ({to: each.source.userId, at: each.timestamp, mine: each.message.text}));
  const items = [...messages.map((each) => ({...each, at: Date.parse(each.acceptedAt)})), ...written];
  const now = JSON.stringify([friends, items]);
  if (now === seen || document.activeElement.value) return; // Not while somebody writes.
  seen = now;
  items.sort((one, other) => one.at - other.at);
  const byFriend = Map.groupBy ? Map.groupBy(items, (each) => each.to) : new Map();
  if (!Map.groupBy) for (const each of items)
    byFriend.set(each.to, [...(byFriend.get(each.to) || []), each]);
  const main = document.getElementById("friends");
  const newest = friends.slice(-60).reverse();
  main.replaceChildren(...newest.map((friend) => card(friend, byFriend.get(friend.userId) || [])));
  if (!friends.length) main.append(make("p", "友だちはまだいません。", "empty"));
  if (friends.length > newest.length)
    main.append(make("p", `ほかに${friends.length - newest.length}人`, "empty"));
  for (const talk of document.querySelectorAll(".talk")) talk.scrollTop = talk.scrollHeight;
}
document.getElementById("add").onclick = async () => { await send("friends", {}); show(); };
setInterval(() => show().catch(() => {}), 1500);
show();
