// Comfort only: every page says and does the same without it.
(() => {
  "use strict";
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];

  // Values on hover: one tooltip that follows the pointer, in place of the slow native one.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  const prepareTips = (within) => {
    for (const title of all("g.hit > title", within)) {
      const hit = title.parentNode;
      hit.dataset.tip = title.textContent;
      title.remove();
    }
  };
  document.addEventListener("pointermove", (event) => {
    const hit = event.target.closest && event.target.closest("g.hit");
    tip.hidden = !hit;
    if (!hit) return;
    tip.textContent = hit.dataset.tip;
    const left = Math.min(event.clientX + 14, innerWidth - tip.offsetWidth - 8);
    const above = event.clientY - tip.offsetHeight - 12;
    tip.style.left = Math.max(8, left) + "px";
    tip.style.top = (above < 8 ? event.clientY + 18 : above) + "px";
  });

  // Times in the reader's zone; UTC stays on hover.
  const minutes = new Intl.DateTimeFormat("sv-SE", { dateStyle: "short", timeStyle: "short" });
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const localTimes = (within) => {
    for (const time of all("time.instant", within)) {
      const at = new Date(time.dateTime);
      if (!Number.isNaN(at.getTime())) time.textContent = minutes.format(at);
    }
  };
  const said = document.querySelector("footer .zone");
  if (said && zone) said.textContent = " on hover, shown in " + zone + "; windows begin and end at midnight UTC";

  // Copying as Markdown: the link leads to the text, the script puts it on the clipboard.
  const toast = (text, action) => {
    for (const old of all(".toast")) old.remove();
    const made = document.createElement("div");
    made.className = "toast";
    made.setAttribute("role", "status");
    made.append(text);
    if (action) {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = action.text;
      button.addEventListener("click", () => { made.remove(); action.run(); });
      made.append(button);
    } else {
      setTimeout(() => made.remove(), 2500);
    }
    document.body.append(made);
  };
  document.addEventListener("click", async (event) => {
    const link = event.target.closest && event.target.closest("a[data-copy]");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || !navigator.clipboard) return;
    event.preventDefault();
    try {
      const answer = await fetch(link.href, { credentials: "same-origin" });
      if (!answer.ok) throw new Error(String(answer.status));
      await navigator.clipboard.writeText(await answer.text());
      toast("Copied as Markdown");
    } catch {
      location.assign(link.href);
    }
  });

  // Menus close when one looks elsewhere.
  document.addEventListener("click", (event) => {
    for (const menu of all("details.user[open]")) if (!menu.contains(event.target)) menu.open = false;
  });

  // What is new: the server names what changed, and a page that follows it is loaded anew in place.
  const main = () => document.getElementById("main");
  const isBusy = () => {
    const within = main().contains(document.activeElement) && document.activeElement !== main();
    const typed = all("main input, main textarea").some((field) => field.value !== field.defaultValue && field.type !== "hidden");
    return within || typed || !getSelection().isCollapsed || Boolean(document.querySelector("dialog[open]"));
  };
  const renew = async () => {
    const answer = await fetch(location.href, { credentials: "same-origin", headers: { Accept: "text/html" } });
    if (!answer.ok || answer.redirected) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const opened = new Set(all("main details[open]").map((fold) => fold.textContent.slice(0, 80)));
    for (const part of ["main", ".places"]) {
      const [now, then] = [document.querySelector(part), page.querySelector(part)];
      if (now && then) now.replaceWith(then);
    }
    for (const fold of all("main details")) if (opened.has(fold.textContent.slice(0, 80))) fold.open = true;
    prepare(document);
  };
  // A browser has few connections to a server: a page keeps one only while somebody looks at it.
  const follow = () => {
    const from = document.body.dataset.events;
    const topics = (main().dataset.live || "").split(" ").filter(Boolean);
    if (!from || !topics.length || !window.EventSource) return;
    let waiting = 0;
    let source = null;
    const show = () => (isBusy() ? toast("There is something new.", { text: "Show", run: renew }) : renew());
    const changed = (event) => {
      if (!event.data.split(" ").some((topic) => topics.includes(topic))) return;
      clearTimeout(waiting);
      waiting = setTimeout(show, 400);
    };
    const listen = () => {
      if (source) return;
      source = new EventSource(from);
      source.addEventListener("changed", changed);
    };
    const leave = () => {
      clearTimeout(waiting);
      if (source) source.close();
      source = null;
    };
    // What happened meanwhile was told to nobody.
    const comeBack = () => {
      if (source) return;
      listen();
      if (!isBusy()) renew().catch(() => {});
    };
    document.addEventListener("visibilitychange", () => (document.hidden ? leave() : comeBack()));
    addEventListener("pagehide", leave);
    addEventListener("pageshow", (event) => { if (event.persisted) comeBack(); });
    if (!document.hidden) listen();
  };

  // Shortcuts.
  const places = { o: "/", a: "/alerts", e: "/evidence", j: "/jobs", s: "/settings" };
  const rows = () => all("main .issue, main .fleet tbody tr, main table.data tbody tr, main .found > li").filter((row) => row.querySelector("a[href]") && row.offsetParent);
  let leading = 0;
  const step = (by) => {
    const list = rows();
    if (!list.length) return;
    const at = list.findIndex((row) => row.classList.contains("current-row"));
    for (const row of list) row.classList.remove("current-row");
    const next = list[Math.min(Math.max(at + by, 0), list.length - 1)];
    next.classList.add("current-row");
    next.scrollIntoView({ block: "nearest" });
    next.querySelector("a[href]").focus({ preventScroll: true });
  };
  const help = () => {
    const shown = document.querySelector("dialog");
    if (shown) { shown.close(); return; }
    const dialog = document.createElement("dialog");
    dialog.setAttribute("aria-labelledby", "keys-title");
    const title = document.createElement("h2");
    title.id = "keys-title";
    title.textContent = "Keys";
    const list = document.createElement("dl");
    for (const [keys, what] of [
      ["/", "Search"], ["g o", "All systems"], ["g a", "Alerts"], ["g e", "Evidence"], ["g j", "Jobs"], ["g s", "Settings"],
      ["j", "Next in the list"], ["k", "The one before"], ["c", "Copy as Markdown"], ["?", "These keys"],
    ]) {
      const [key, text] = [document.createElement("dt"), document.createElement("dd")];
      for (const part of keys.split(" ")) {
        const kbd = document.createElement("kbd");
        kbd.textContent = part;
        key.append(kbd, " ");
      }
      text.textContent = what;
      list.append(key, text);
    }
    const close = document.createElement("button");
    close.type = "button";
    close.textContent = "Close";
    close.addEventListener("click", () => dialog.close());
    dialog.addEventListener("close", () => dialog.remove());
    dialog.append(title, list, close);
    document.body.append(dialog);
    dialog.showModal();
  };
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea, select, [contenteditable]");
    if (event.key === "Escape") {
      for (const menu of all("details.user[open]")) menu.open = false;
      if (typing) event.target.blur();
    }
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    const led = event.timeStamp - leading < 1200;
    leading = 0;
    if (led && places[event.key]) { location.assign(places[event.key]); return; }
    switch (event.key) {
      case "/": { const box = document.getElementById("search"); if (box) { event.preventDefault(); box.focus(); box.select(); } break; }
      case "g": leading = event.timeStamp; break;
      case "j": step(1); break;
      case "k": step(-1); break;
      case "c": { const copy = document.querySelector("main a[data-copy]"); if (copy) copy.click(); break; }
      case "?": help(); break;
    }
  });

  // Paper cannot be clicked: what is folded away comes out.
  addEventListener("beforeprint", () => { for (const fold of all("main details")) fold.open = true; });

  const prepare = (within) => { prepareTips(within); localTimes(within); };
  prepare(document);
  if (main()) follow();
})();
