// Every text here comes from messages, so it is put in as text, never as HTML; an address becomes a
// link where it is a web address, and nothing else does.
"use strict";

// ---- The control API

const call = async (method, path, body) => {
  const answer = await fetch("/_simulator/" + path, {
    method, body: body && JSON.stringify(body),
    headers: body ? {"Content-Type": "application/json"} : {},
  });
  const said = answer.status === 204 ? null : await answer.json();
  if (!answer.ok) throw new Error(said.message);
  return said;
};

// Do something as the friend whose chat is open, tell what came of it, and show it.
async function act(method, path, body) {
  try {
    const said = await call(method, `friends/${chosen}/${path}`, body);
    for (const event of said.events || [said]) tell(inWords(event));
    return said;
  } catch (error) {
    tell(`できませんでした: ${error.message}`);
  } finally {
    refresh();
  }
}

function inWords(event) {
  if (event.type === "postback") {
    const picked = Object.values(event.postback.params || {}).join();
    return `postback を送りました: ${event.postback.data} ${picked}`;
  }
  return event.type === "message" ? "" : `${event.type} を送りました`;
}

// ---- Making elements

const $ = (id) => document.getElementById(id);

function make(tag, className, ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children.filter(Boolean));
  return element;
}

function tell(words) {
  if (!words) return;
  $("toast").textContent = words;
  clearTimeout(tell.timer);
  tell.timer = setTimeout(() => { $("toast").textContent = ""; }, 5000);
}

const isWeb = (url) => /^https?:\/\//i.test(url);

// What is tapped to do an action: a link of the browser's own, or a button.
function tappable(action, message, className, ...children) {
  const url = action.uri ?? action.linkUri;
  const ofQuickReply = action.quickReply !== undefined;
  const body = ofQuickReply ? {quickReply: action.quickReply} : {index: action.tap};
  body.messageId = message.id;
  if (url !== undefined) {
    const link = make("a", className, ...children);
    link.title = url;
    if (!isWeb(url)) return link; // tel: and line: are for phones.
    link.href = url;
    link.target = "_blank";
    link.rel = "noopener noreferrer";
    link.onclick = (event) => {
      event.stopPropagation();
      if (ofQuickReply) act("POST", "tap", body);
    };
    return link;
  }
  const button = make("button", className, ...children);
  button.type = "button";
  button.disabled = !message.id || (action.tap === undefined && !ofQuickReply);
  button.onclick = async (event) => {
    event.stopPropagation();
    if (action.type === "datetimepicker") {
      body.picked = await pick(action);
      if (!body.picked) return;
    }
    if (action.type === "clipboard") {
      await navigator.clipboard.writeText(action.clipboardText).catch(() => {});
      tell("コピーしました");
    }
    await act("POST", "tap", body);
    if (action.fillInText) { $("text").value = action.fillInText; $("text").focus(); }
  };
  return button;
}

const labelOf = (action) => action.label || action.text || action.uri || action.linkUri || action.type;

function pick(action) {
  const dialog = $("picker"), input = $("picked");
  input.type = action.mode === "datetime" ? "datetime-local" : action.mode;
  for (const name of ["min", "max"]) input[name] = (action[name] || "").toUpperCase();
  input.value = (action.initial || "").toUpperCase();
  $("picker-title").textContent = labelOf(action);
  dialog.showModal();
  return new Promise((resolve) => {
    $("picker-yes").onclick = () => dialog.close(input.value);
    $("picker-no").onclick = () => dialog.close("");
    dialog.onclose = () => { resolve(dialog.returnValue); dialog.returnValue = ""; };
  });
}

function picture(url, className) {
  const image = make("img", className);
  image.alt = "";
  image.onerror = () => image.replaceWith(make("span", `${className || ""} broken`, className === "icon" ? "" : "〔画像〕"));
  if (isWeb(url)) image.src = url;
  return image;
}

function player(tag, url, poster) {
  const media = make(tag);
  media.controls = true;
  media.preload = "none";
  if (isWeb(url)) media.src = url;
  if (poster && isWeb(poster)) media.poster = poster;
  return media;
}

function words(message) {
  return (message.parts || []).map((part) => {
    if (part.emoji) return make("span", "emoji", "☻");
    if (!part.url) return part.text;
    const link = make("a", "", part.text);
    if (isWeb(part.url)) Object.assign(link, {href: part.url, target: "_blank", rel: "noopener noreferrer"});
    return link;
  });
}

// ---- Messages, by type

const KINDS = {
  text: (message) => make("div", "bubble", ...words(message)),
  textV2: (message) => make("div", "bubble", ...words(message)),
  sticker: (message) =>
    make("div", "sticker", "☺", make("small", "", `スタンプ ${message.packageId} / ${message.stickerId}`)),
  image(message) {
    const link = make("a", "plain", picture(message.previewImageUrl || "", "photo"));
    if (isWeb(message.originalContentUrl))
      Object.assign(link, {href: message.originalContentUrl, target: "_blank", rel: "noopener noreferrer"});
    return link;
  },
  video(message, id) {
    const video = player("video", message.originalContentUrl, message.previewImageUrl);
    const watched = () => act("POST", "watch", {messageId: id});
    const button = make("button", "act", "最後まで再生");
    button.disabled = !message.trackingId || !id;
    button.title = message.trackingId ? "" : "trackingIdがないので、LINEは視聴を知らせません";
    button.onclick = watched;
    if (!button.disabled) video.onended = watched;
    return make("div", "card", video, button);
  },
  audio: (message) =>
    make("div", "bubble", player("audio", message.originalContentUrl), make("small", "", `${Math.round(message.duration / 1000)}秒`)),
  location: (message) =>
    make("div", "card", make("div", "map", "📍"),
      make("div", "words", make("b", "", message.title || "位置情報"), message.address,
        make("small", "", `${message.latitude}, ${message.longitude}`))),
  coupon: (message) =>
    make("div", "card", make("div", "map", "🎟"), make("div", "words", make("b", "", "クーポン"), message.couponId)),
  imagemap: imagemap,
  template: template,
  flex: (message, id) => {
    const {contents} = message;
    const bubbles = contents.type === "carousel" ? contents.contents : [contents];
    return make("div", "row", ...bubbles.map((each) => flexBubble(each, {id})));
  },
};

function imagemap(message, id) {
  const {width, height} = message.baseSize;
  const map = make("div", "imagemap", picture(message.baseUrl + "/1040"));
  map.style.aspectRatio = `${width} / ${height}`;
  const place = (area, element) => {
    element.style.left = `${area.x / width * 100}%`;
    element.style.top = `${area.y / height * 100}%`;
    element.style.width = `${area.width / width * 100}%`;
    element.style.height = `${area.height / height * 100}%`;
    map.append(element);
  };
  if (message.video) {
    place(message.video.area, player("video", message.video.originalContentUrl, message.video.previewImageUrl));
    const link = message.video.externalLink;
    if (link) place(message.video.area, tappable(link, {id}, "area after", labelOf(link)));
  }
  for (const action of message.actions || []) place(action.area, tappable(action, {id}, "area", labelOf(action)));
  return make("div", "card", map, make("small", "alt", message.altText));
}

function template(message, id) {
  const {template: whole} = message;
  const of = {id};
  const buttons = (actions) => actions.map((action) => tappable(action, of, "act", labelOf(action)));
  const card = (column) => {
    const top = [
      column.thumbnailImageUrl && picture(column.thumbnailImageUrl, `thumb ${whole.imageAspectRatio || ""} ${whole.imageSize || ""}`),
      make("div", "words", column.title && make("b", "", column.title), column.text),
    ];
    const head = column.defaultAction ? [tappable(column.defaultAction, of, "plain", ...top.filter(Boolean))] : top;
    return make("div", "card", ...head, ...buttons(column.actions || []));
  };
  if (whole.type === "confirm")
    return make("div", "card", make("div", "words", whole.text), make("div", "pair", ...buttons(whole.actions)));
  if (whole.type === "buttons") return card(whole);
  if (whole.type === "carousel") return make("div", "row", ...whole.columns.map(card));
  return make("div", "row", ...whole.columns.map((column) =>
    tappable(column.action, of, "card plain", picture(column.imageUrl, "thumb square"),
      column.action.label && make("span", "act", column.action.label))));
}

// ---- Flex messages, as far as one must see them to tap
// https://developers.line.biz/en/docs/messaging-api/flex-message-layout/

const GAPS = {none: "0px", xs: "2px", sm: "4px", md: "8px", lg: "12px", xl: "16px", xxl: "20px"};
const LETTERS = {xxs: 11, xs: 13, sm: 14, md: 16, lg: 19, xl: 22, xxl: 29, "3xl": 35, "4xl": 48, "5xl": 74};
const PICTURES = {xxs: 40, xs: 60, sm: 80, md: 100, lg: 120, xl: 140, xxl: 160, "3xl": 180, "4xl": 200, "5xl": 220};
const EDGES = {light: "0.5px", normal: "1px", medium: "2px", "semi-bold": "3px", bold: "4px"};
const WIDTHS = {nano: 120, micro: 160, deca: 220, hecto: 241, kilo: 260, mega: 300, giga: 386};

const px = (value, known = GAPS) => known[value] ?? (/^\d+(\.\d+)?(px|%)$/.test(value) ? value : "");
const letters = (size) => LETTERS[size] ? `${LETTERS[size]}px` : px(size);
const color = (value) => (/^#([0-9a-f]{6}|[0-9a-f]{8})$/i.test(value) ? value : "");

function flexBubble(bubble, of) {
  const whole = bubble.action ? flexTap(bubble, bubble.action, of, "flex") : make("div", "flex");
  whole.style.width = `${WIDTHS[bubble.size] || WIDTHS.mega}px`;
  if (bubble.direction === "rtl") whole.dir = "rtl";
  for (const name of ["header", "hero", "body", "footer"]) {
    if (!bubble[name]) continue;
    const block = flexPart(bubble[name], of, "vertical");
    block.classList.add("block", name);
    const style = (bubble.styles || {})[name] || {};
    if (style.backgroundColor) block.style.backgroundColor = color(style.backgroundColor);
    if (style.separator) block.style.borderTop = `1px solid ${color(style.separatorColor) || "#d4d6da"}`;
    whole.append(block);
  }
  return whole;
}

// A box with buttons of its own must not be a link or a button itself.
function flexTap(node, action, of, className, ...children) {
  const inner = JSON.stringify([node.contents, node.header, node.hero, node.body, node.footer]);
  if (!inner.includes('"tap":')) return tappable(action, of, `${className} plain`, ...children);
  const element = make("div", `${className} plain`, ...children);
  const hidden = tappable(action, of);
  element.onclick = (event) => { event.stopPropagation(); hidden.click(); };
  return element;
}

function flexPart(part, of, layout) {
  const element = (FLEX[part.type] || (() => make("span")))(part, of, layout);
  const flex = part.flex ?? (layout === "vertical" || part.type === "icon" || part.width ? 0 : 1);
  if (layout === "vertical") element.style.flex = `${Number(flex) || 0} 0 auto`;
  else element.style.flex = Number(flex) ? `${Number(flex)} 1 0` : "0 0 auto";
  if (part.type === "filler") element.style.flex = "1";
  if (part.position === "absolute") element.style.position = "absolute";
  for (const [offset, side] of [["offsetTop", "top"], ["offsetBottom", "bottom"], ["offsetStart", "left"], ["offsetEnd", "right"]])
    if (part[offset]) {
      if (part.position !== "absolute") element.style.position = "relative";
      element.style[side] = px(part[offset]);
    }
  return element;
}

const FLEX = {
  box(part, of) {
    const {layout} = part;
    const children = (part.contents || []).map((child, number) => {
      const element = flexPart(child, of, layout);
      const gap = px(child.margin ?? (number ? part.spacing : undefined) ?? "none");
      element.style[layout === "vertical" ? "marginTop" : "marginLeft"] = gap;
      return element;
    });
    const box = part.action ? flexTap(part, part.action, of, `box ${layout}`, ...children)
                            : make("div", `box ${layout}`, ...children);
    const {style} = box;
    style.backgroundColor = color(part.backgroundColor);
    const edge = px(part.borderWidth, EDGES);
    if (edge) style.border = `${edge} solid ${color(part.borderColor) || "#000000"}`;
    style.borderRadius = px(part.cornerRadius);
    for (const side of ["", "Top", "Bottom", "Start", "End"]) {
      const padding = part["padding" + side];
      if (padding) style["padding" + ({Start: "Left", End: "Right"}[side] ?? side)] = px(padding);
    }
    for (const name of ["width", "height", "maxWidth", "maxHeight"]) if (part[name]) style[name] = px(part[name]);
    if (/^[a-z-]+$/.test(part.justifyContent || "")) style.justifyContent = part.justifyContent;
    if (/^[a-z-]+$/.test(part.alignItems || "")) style.alignItems = part.alignItems;
    const shade = part.background;
    if (shade && shade.type === "linearGradient" && /^\d+(\.\d+)?deg$/.test(shade.angle) && color(shade.startColor) && color(shade.endColor))
      style.backgroundImage = `linear-gradient(${shade.angle}, ${shade.startColor}, ${shade.endColor})`;
    return box;
  },
  text(part, of) {
    const children = part.contents && part.contents.length ? part.contents.map((span) => lettered(make("span", "", span.text), span))
                                                           : [part.text];
    const text = part.action ? tappable(part.action, of, "letters plain", ...children) : make("div", "letters", ...children);
    lettered(text, {size: "md", ...part});
    text.style.textAlign = {center: "center", end: "right"}[part.align] || "";
    if (part.wrap) text.classList.add("wrap");
    if (part.wrap && part.maxLines) {
      text.classList.add("lines");
      text.style.webkitLineClamp = Number(part.maxLines) || "";
    }
    return text;
  },
  button(part, of) {
    const button = tappable(part.action, of, `push ${part.style || "link"} ${part.height || "md"}`, labelOf(part.action));
    const own = color(part.color);
    if (own) button.style[part.style === "primary" || part.style === "secondary" ? "backgroundColor" : "color"] = own;
    return button;
  },
  image(part, of) {
    const image = picture(part.url, "flexible");
    const width = part.size === "full" ? "100%" : PICTURES[part.size ?? "md"] ? `${PICTURES[part.size ?? "md"]}px` : px(part.size);
    const frame = part.action ? tappable(part.action, of, "frame plain", image) : make("div", "frame", image);
    const fit = () => {
      const shown = frame.firstChild;
      shown.style.width = width;
      shown.style.aspectRatio = /^\d+(\.\d+)?:\d+(\.\d+)?$/.test(part.aspectRatio || "") ? part.aspectRatio.replace(":", " / ") : "1 / 1";
      shown.style.objectFit = part.aspectMode === "cover" ? "cover" : "contain";
      shown.style.backgroundColor = color(part.backgroundColor);
    };
    fit();
    image.addEventListener("error", () => setTimeout(fit));
    frame.style.justifyContent = {start: "start", end: "end"}[part.align] || "center";
    return frame;
  },
  video: (part) => make("div", "frame", player("video", part.url, part.previewUrl)),
  icon(part) {
    const icon = picture(part.url, "icon");
    icon.style.height = letters(part.size ?? "md");
    return icon;
  },
  span: (part) => make("span", "", part.text),
  separator(part, of, layout) {
    const line = make("div", layout === "vertical" ? "line" : "line standing");
    line.style.borderColor = color(part.color) || "#d4d6da";
    return line;
  },
  filler: () => make("div"),
  spacer: (part) => {
    const space = make("div");
    space.style.minHeight = px(part.size ?? "md");
    return space;
  },
};

function lettered(element, part) {
  const {style} = element;
  if (part.size) style.fontSize = letters(part.size);
  style.color = color(part.color);
  if (part.weight === "bold") style.fontWeight = "700";
  if (part.style === "italic") style.fontStyle = "italic";
  style.textDecoration = {underline: "underline", "line-through": "line-through"}[part.decoration] || "";
  if (part.lineSpacing) style.lineHeight = `calc(1.4em + ${px(part.lineSpacing) || "0px"})`;
  return element;
}

// ---- A chat

function bubbleOf(item) {
  const mine = item.sender === "friend";
  const {message} = item;
  const row = make("div", `item ${item.sender}`);
  row.dataset.id = item.id || "";
  if (!message) {
    row.append(make("div", "gone", "メッセージの送信を取り消しました"));
    return row;
  }
  const side = make("div", "side",
    item.silent && make("span", "", "通知なし"),
    make("time", "", new Date(item.at).toLocaleTimeString("ja-JP", {hour: "2-digit", minute: "2-digit"})));
  if (item.quotable) {
    const reply = make("button", "small", "返信");
    reply.onclick = () => quote(item);
    side.append(reply);
  }
  if (mine && item.id) {
    const back = make("button", "small", "送信取消");
    back.onclick = () => act("DELETE", `messages/${item.id}`);
    side.append(back);
  }
  let shown;
  try {
    shown = (KINDS[message.type] || ((one) => make("div", "bubble", `〔${one.type}〕`)))(message, item.id);
  } catch (error) { // Of a webhook event written by hand anything may be missing.
    shown = make("div", "bubble", `〔${message.type}〕`);
  }
  if (item.quoted) shown = make("div", "quoting-other", make("div", "quoted", item.quoted), shown);
  const sender = message.sender || {};
  const body = make("div", "what", sender.name && make("small", "sender", sender.name), shown);
  if (!mine) row.append(sender.iconUrl ? picture(sender.iconUrl, "face") : make("span", "face", "公"));
  row.append(body, side);
  return row;
}

const drawn = new Map(); // What is drawn of each item: what it was drawn from, and the element.

function drawTalk(items) {
  const talk = $("talk");
  const atEnd = talk.scrollHeight - talk.scrollTop - talk.clientHeight < 80;
  const wanted = [];
  let day = "";
  for (const item of items) {
    const itsDay = new Date(item.at).toLocaleDateString("ja-JP", {month: "long", day: "numeric", weekday: "short"});
    if (itsDay !== day) wanted.push([`day ${itsDay}`, itsDay, () => make("div", "day", itsDay)]);
    day = itsDay;
    wanted.push([item.key, JSON.stringify({...item, quickReplies: null}), () => bubbleOf(item)]);
  }
  if (!items.length) wanted.push(["none", "", () => make("div", "day", "まだメッセージはありません")]);
  const keys = new Set(wanted.map(([key]) => key));
  for (const [key, {element}] of drawn) if (!keys.has(key)) { element.remove(); drawn.delete(key); }
  let before = talk.firstChild;
  for (const [key, from, draw] of wanted) { // What stays is not touched: a video plays on.
    const known = drawn.get(key);
    if (known && known.from === from && known.element === before) { before = before.nextSibling; continue; }
    const element = known && known.from === from ? known.element : draw();
    if (known && known.element !== element) {
      if (known.element === before) before = before.nextSibling;
      known.element.remove();
    }
    talk.insertBefore(element, before);
    drawn.set(key, {from, element});
  }
  const last = items.at(-1);
  $("quick").replaceChildren(...(last ? last.quickReplies : []).map((action) => tappable(action, last, "chip", labelOf(action))));
  if (atEnd) talk.scrollTop = talk.scrollHeight;
}

let quoted = null;
function quote(item) {
  quoted = item && item.id;
  $("quoting").hidden = !item;
  $("quoting").firstElementChild.textContent = item ? item.message.text || item.message.altText || `〔${item.message.type}〕` : "";
  if (item) $("text").focus();
}

// ---- Everybody, and who is chosen

const friends = new Map();
const read = new Map(); // The revision up to which each chat was seen here.
const MOST = 200;
let chosen = location.hash.slice(1) || null;
let revision = 0, search = "", limit = 100, total = 0;

function drawFriends() {
  const sought = search.toLowerCase();
  const isSought = ({displayName, userId}) => `${displayName}\n${userId}`.toLowerCase().includes(sought);
  const list = [...friends.values()].filter(isSought).sort((one, other) => other.changed - one.changed).slice(0, MOST);
  $("friends").replaceChildren(...list.map((friend) => {
    const face = make("span", "face", [...friend.displayName][0]);
    face.style.backgroundColor = `hsl(${parseInt(friend.userId.slice(1, 7), 16) % 360} 45% 62%)`;
    const at = friend.lastAt ? new Date(friend.lastAt).toLocaleTimeString("ja-JP", {hour: "2-digit", minute: "2-digit"}) : "";
    const button = make("button", "person", face,
      make("span", "who",
        make("b", "", friend.displayName),
        make("small", "", friend.status === "blocked" ? "ブロック中" : friend.last || "友だちになりました")),
      make("time", "", at));
    button.classList.toggle("blocked", friend.status === "blocked");
    button.classList.toggle("unread", friend.userId !== chosen && (read.get(friend.userId) || 0) < friend.changed);
    if (friend.userId === chosen) button.setAttribute("aria-current", "true");
    button.onclick = () => { showTalk(true); choose(friend.userId); };
    return make("li", "", button);
  }));
  const rest = total - list.length;
  $("more").textContent = !search && rest > 0 ? `ほかに${rest}人（名前で検索できます）` : search && !list.length ? "見つかりません" : "";
}

function drawHead() {
  const friend = friends.get(chosen);
  $("phone").hidden = !friend;
  $("empty").hidden = Boolean(friend) || total > 0;
  if (!friend) return;
  const blocked = friend.status === "blocked";
  $("name").textContent = friend.displayName;
  $("about").textContent = `${friend.device === "ios" ? "iPhone" : "Android"} ・ ${friend.userId}`;
  $("block").textContent = blocked ? "ブロック解除" : "ブロック";
  $("notice").hidden = !blocked;
  for (const element of $("form").elements) element.disabled = blocked;
}

// On a phone there is room for the friends, or for one chat.
const showTalk = (isShown) => document.querySelector("main").classList.toggle("talking", isShown);

async function choose(userId) {
  if (userId !== chosen) {
    chosen = userId;
    limit = 100;
    quote(null);
    $("text").value = "";
    $("talk").replaceChildren();
    drawn.clear();
    history.replaceState(null, "", "#" + userId);
  }
  drawFriends();
  drawHead();
  await drawChosen();
  $("talk").scrollTop = $("talk").scrollHeight;
}

async function drawChosen() {
  const of = chosen, friend = friends.get(of);
  if (!friend) return;
  const seen = friend.changed;
  const items = await call("GET", `friends/${of}/talk?limit=${limit}`);
  if (of !== chosen) return;
  read.set(of, seen);
  $("older").hidden = items.length < limit;
  drawTalk(items);
}

let looking = null, again = false;
// Look for what is new; one look at a time, and one more where somebody asked meanwhile.
function refresh() {
  if (looking) { again = true; return looking; }
  looking = look().catch(() => {}).finally(() => {
    looking = null;
    if (again) { again = false; refresh(); }
  });
  return looking;
}

async function look() {
  const query = new URLSearchParams({since: revision, search, limit: MOST});
  const first = revision === 0, asked = search;
  const news = await call("GET", `talks?${query}`);
  if (asked !== search) return;
  revision = news.revision;
  if (search) await drawChosen(); // Of whom is not sought nothing is told.
  if (!news.talks.length && !first && news.total === total) return;
  total = news.total;
  for (const friend of news.talks) {
    friends.set(friend.userId, friend);
    if (first && !read.has(friend.userId)) read.set(friend.userId, friend.changed);
  }
  if (!friends.has(chosen) && news.talks.length && !search) return choose(news.talks[0].userId);
  drawFriends();
  drawHead();
  if (news.talks.some((friend) => friend.userId === chosen)) await drawChosen();
}

// ---- What the page's own buttons do

$("add").onclick = async () => {
  const friend = await call("POST", "friends", {}).catch((error) => tell(error.message));
  await refresh();
  if (!friend || !friends.has(friend.userId)) return;
  showTalk(true);
  await choose(friend.userId);
};
$("back").onclick = () => showTalk(false);
$("block").onclick = async () => {
  const blocked = friends.get(chosen).status === "blocked";
  await (blocked ? call("POST", "friends", {userId: chosen}) : call("DELETE", `friends/${chosen}`))
    .catch((error) => tell(error.message));
  refresh();
};
$("older").onclick = () => { limit = Math.min(limit + 200, 1000); drawChosen(); };
$("sticker").onclick = () => act("POST", "messages", {packageId: "446", stickerId: "1988"});
$("quoting").lastElementChild.onclick = () => quote(null);
$("form").onsubmit = async (event) => {
  event.preventDefault();
  const text = $("text").value.trim();
  if (!text) return;
  const said = {text, ...(quoted && {quotedMessageId: quoted})};
  $("text").value = "";
  quote(null);
  if (!await act("POST", "messages", said)) $("text").value = text;
  $("talk").scrollTop = $("talk").scrollHeight;
};
$("text").onkeydown = (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  $("form").requestSubmit();
};
$("search").oninput = () => {
  search = $("search").value.trim();
  revision = 0;
  const kept = friends.get(chosen);
  friends.clear();
  if (kept) friends.set(chosen, kept); // Whom one talks with stays, found or not.
  refresh();
};

// By itself the simulator has no shop.
fetch("/shop/", {method: "HEAD"}).then((answer) => { $("shop").hidden = !answer.ok; }, () => {});
showTalk(Boolean(chosen));
setInterval(refresh, 1000);
refresh();
