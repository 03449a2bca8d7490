// Keyboard: Ctrl K jumps, / filters, g and a letter goes to a place, j and k walk rows, ? shows all.
// Single letters never work within a field, and can be switched off (kept in this browser).

import { adopt } from "./adopt.js";

const OFF = "tidings-keys-off";
const PLACES = { o: "", w: "/webhooks", e: "/events", d: "/deliveries", s: "/sources", c: "/commands", t: "/event-types" };
const base = document.documentElement.dataset.base ?? "";
// A portal has fewer places, and nothing to jump to.
const isThere = (place) => document.querySelector(`nav a[href="${CSS.escape(base + place)}"]`) !== null;
const places = () => Object.entries(PLACES).filter(([, place]) => base && isThere(place));
const jumps = () => document.querySelector("[data-jump]") !== null;
const NAMES = { "": "Overview", "/webhooks": "webhooks", "/events": "events", "/deliveries": "deliveries",
  "/sources": "sources", "/commands": "commands", "/event-types": "event types" };
let went = 0;

const writes = (element) => element.closest?.("input, textarea, select, [contenteditable]");
const rows = () => [...document.querySelectorAll("[data-rows] tbody tr a.row")];

function walk(step) {
  const all = rows();
  if (all.length === 0) return;
  const here = all.findIndex((row) => row === document.activeElement);
  all[Math.min(Math.max(here + step, 0), all.length - 1)].focus();
}

function open(title, build) {
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", title);
  build(dialog);
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.showModal();
  return dialog;
}

export function jump() {
  if (!jumps() || document.querySelector("dialog[data-jumping]")) return;
  const dialog = open("Jump to", (dialog) => {
    dialog.dataset.jumping = "";
    const input = document.createElement("input");
    input.type = "search";
    input.placeholder = "A place, a webhook, a command, an id";
    input.setAttribute("aria-label", "Jump to");
    const list = document.createElement("div");
    list.className = "jump-list";
    dialog.append(input, list);
    let wait;
    const look = async () => {
      const answer = await fetch(`/jump?${new URLSearchParams({ q: input.value, part: "list" })}`);
      if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        adopt(page);
        list.replaceChildren(...page.querySelector("div").children);
      }
    };
    input.addEventListener("input", () => {
      clearTimeout(wait);
      wait = setTimeout(look, 150);
    });
    dialog.addEventListener("keydown", (event) => {
      const links = [...list.querySelectorAll("a")];
      if (event.key === "Enter" && document.activeElement === input && links[0]) links[0].click();
      const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
      if (!step || links.length === 0) return;
      event.preventDefault();
      const here = links.indexOf(document.activeElement);
      const next = here + step;
      (next < 0 ? input : links[Math.min(next, links.length - 1)]).focus();
    });
    look();
  });
  dialog.querySelector("input").focus();
}

function help() {
  open("Keyboard", (dialog) => {
    const lines = [
      ...(jumps() ? [["Ctrl K", "Jump to a page, a webhook, an id"]] : []),
      ["/", "Filter the list"],
      [`g, then ${places().map(([key]) => key).join(" ")}`, places().map(([, place]) => NAMES[place]).join(", ")],
      ["j k", "Next and previous row"],
      ["Enter", "Open the row"],
      ["c", "Create"],
      ["r", "Retry the delivery, after asking"],
      ["[ ]", "Attempt before and after"],
      ["Ctrl Enter", "Send the form"],
      ["?", "This list"],
      ["Esc", "Close"],
    ];
    const body = document.createElement("div");
    body.className = "dialog-body";
    const title = document.createElement("h2");
    title.textContent = "Keyboard";
    const facts = document.createElement("dl");
    facts.className = "facts";
    for (const [keys, words] of lines) {
      const key = document.createElement("dt");
      const kbd = document.createElement("kbd");
      kbd.textContent = keys;
      key.append(kbd);
      const what = document.createElement("dd");
      what.textContent = words;
      facts.append(key, what);
    }
    const off = document.createElement("label");
    off.className = "pick";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.checked = localStorage.getItem(OFF) === null;
    box.addEventListener("change", () => (box.checked ? localStorage.removeItem(OFF) : localStorage.setItem(OFF, "1")));
    off.append(box, "Single letters work");
    body.append(title, facts, off);
    dialog.append(body);
  });
}

document.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
    if (!jumps()) return;
    event.preventDefault();
    jump();
    return;
  }
  if ((event.ctrlKey || event.metaKey) && event.key === "Enter") {
    const form = event.target.closest?.("form[method=post]");
    // Where the editor of commands listens itself, it has said so already.
    if (form && !event.defaultPrevented) form.requestSubmit();
    return;
  }
  const single = !event.ctrlKey && !event.metaKey && !event.altKey && !writes(event.target);
  if (!single || document.querySelector("dialog[open]") || localStorage.getItem(OFF) !== null) return;
  const place = PLACES[event.key];
  if (Date.now() - went < 1500 && place !== undefined && base && isThere(place)) {
    event.preventDefault();
    location.href = base + place;
    return;
  }
  went = event.key === "g" ? Date.now() : 0;
  if (event.key === "j") walk(1);
  else if (event.key === "k") walk(-1);
  else if (event.key === "?") help();
  else if (event.key === "[" || event.key === "]") {
    const attempts = [...document.querySelectorAll("[data-attempts] a")];
    const here = attempts.findIndex((link) => link.hasAttribute("aria-current"));
    if (here >= 0) attempts[here + (event.key === "]" ? 1 : -1)]?.click();
  } else if (event.key === "r") {
    // It asks: a question opens, or the button waits for Enter.
    const retry = document.querySelector("[data-retry]:not([disabled])");
    if (retry instanceof HTMLAnchorElement) retry.click();
    else retry?.focus();
  }
  else if (event.key === "/" || event.key === "c") {
    const target = document.querySelector(event.key === "/" ? "[data-filter], [data-slash]" : '[data-key="c"]');
    if (!target) return;
    event.preventDefault();
    if (event.key === "/") target.focus();
    else target.click();
  }
});

document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-jump]") || event.ctrlKey || event.metaKey) return;
  event.preventDefault();
  jump();
});

// From here on keys are heard.
document.documentElement.dataset.keys = "";
