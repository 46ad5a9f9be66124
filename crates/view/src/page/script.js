// Comfort only: the report says the same without it.
(() => {
  "use strict";
  const root = document.documentElement;

  // Values on hover: one tooltip that follows the pointer, in place of the slow native one.
  const tip = document.createElement("div");
  tip.className = "tip";
  tip.hidden = true;
  document.body.append(tip);
  for (const title of document.querySelectorAll("g.hit > title")) {
    const hit = title.parentNode;
    hit.dataset.tip = title.textContent;
    title.remove();
  }
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

  const button = (text, onClick) => {
    const made = document.createElement("button");
    made.type = "button";
    made.textContent = text;
    made.addEventListener("click", () => onClick(made));
    return made;
  };

  // Light and dark, starting from what the system prefers.
  const dark = () => root.dataset.theme
    ? root.dataset.theme === "dark"
    : matchMedia("(prefers-color-scheme: dark)").matches;
  const name = () => (dark() ? "Light" : "Dark");
  document.querySelector("nav.sections .inner").append(button(name(), (made) => {
    root.dataset.theme = dark() ? "light" : "dark";
    made.textContent = name();
  }));

  // All drift rows at once.
  const rows = [...document.querySelectorAll("details.row")];
  const legend = document.querySelector("#drift p.legend");
  if (legend && rows.length > 1) {
    legend.append(button("Open all", (made) => {
      const open = made.textContent === "Open all";
      for (const row of rows) row.open = open;
      made.textContent = open ? "Close all" : "Open all";
    }));
  }

  // Paper cannot be clicked: what is folded away comes out.
  addEventListener("beforeprint", () => {
    for (const fold of document.querySelectorAll("details.fold")) fold.open = true;
  });
})();
