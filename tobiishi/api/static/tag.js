// Tobiishi's tag for the shop's pages: tells what a friend who came by a link of a message does
// here. Of anybody else it tells nothing. See docs/site.md.
(() => {
  "use strict";
  const collector = new URL("t", document.currentScript.src).href;
  const parameter = /([?&])tbv=([\w-]+)(&|$)/;
  const days = 180;
  let visitor = null; // Where cookies are refused, this page at least is known.

  const kept = (name) => {
    try { return localStorage.getItem(name); } catch { return null; }
  };
  const keep = (name, value) => {
    try { localStorage.setItem(name, value); } catch { /* Then not for longer than this page. */ }
  };

  const arrive = () => {
    const found = parameter.exec(location.search);
    if (found) {
      visitor = found[2];
      const secure = location.protocol === "https:" ? "; Secure" : "";
      document.cookie =
        `tobiishi=${visitor}; Path=/; Max-Age=${days * 86400}; SameSite=Lax${secure}`;
      // Nobody is to copy an address that stands for somebody.
      const rest = location.search.replace(parameter, (_, before, __, after) => after ? before : "");
      history.replaceState(history.state, "", location.pathname + rest + location.hash);
    } else {
      const cookie = /(?:^|; )tobiishi=([\w-]+)/.exec(document.cookie);
      visitor = cookie ? cookie[1] : visitor;
    }
  };

  const isOff = () => kept("tobiishi-off") === "1" || navigator.doNotTrack === "1";
  const id = () =>
    [...crypto.getRandomValues(new Uint8Array(12))].map((n) => n.toString(16).padStart(2, "0")).join("");

  // What could not be told yet is told with the next page; told twice, it counts once.
  let waiting = [];
  try { waiting = JSON.parse(kept("tobiishi-queue")) || []; } catch { waiting = []; }
  const save = () => keep("tobiishi-queue", JSON.stringify(waiting.slice(-50)));
  const forget = (told) => {
    waiting = waiting.filter((each) => each !== told);
    save();
  };
  const send = (told) => {
    fetch(collector, { method: "POST", body: told, keepalive: true, credentials: "omit" })
      .then((answer) => { if (answer.status < 500 && answer.status !== 429) forget(told); })
      .catch(() => {});
  };

  const tell = (event, detail) => {
    if (!visitor || isOff()) return;
    const url = location.href.split("#")[0];
    const told = JSON.stringify({ id: id(), visitor, event, url, detail: detail || {} });
    waiting.push(told);
    save();
    send(told);
  };

  const commands = {
    event: tell,
    page_view: () => tell("page_view"),
    off: () => { keep("tobiishi-off", "1"); waiting = []; save(); },
    on: () => keep("tobiishi-off", "0"),
  };
  const command = (name, ...rest) => {
    if (commands[name]) commands[name](...rest);
    else console.warn(`tobiishi: no command ${name}; use event, page_view, off or on`);
  };

  arrive();
  waiting.forEach(send);
  tell("page_view");
  const early = (window.tobiishi && window.tobiishi.q) || [];
  window.tobiishi = command;
  early.forEach((each) => command(...each));
})();
