// Pages that follow what happens. The stream carries ids and states; rows on screen are fetched again as
// the server draws them, at most once a second. New rows never push what somebody looks at or touches.

import { adopt } from "./adopt.js";
import { say, wake } from "./main.js";

const EACH_MS = 1000;
const ROWS_MAX = 50;
const OVERVIEW_ROWS = 8;
const KNOWN_MAX = 500;
const badge = document.querySelector("[data-live-badge]");
const base = document.documentElement.dataset.base ?? "";

// Relative times go on.
const SECOND = 1000, MINUTE = 60 * SECOND, HOUR = 60 * MINUTE, DAY = 24 * HOUR;
function words(time) {
  const ms = Date.now() - Date.parse(time.dateTime);
  if (time.dataset.time !== "ago" || ms >= DAY) return null;
  if (ms < SECOND) return "just now";
  if (ms < MINUTE) return `${Math.floor(ms / SECOND)} s ago`;
  if (ms < HOUR) return `${Math.floor(ms / MINUTE)} min ago`;
  return `${Math.floor(ms / HOUR)} h ago`;
}
setInterval(() => {
  for (const time of document.querySelectorAll('time[data-time="ago"]')) {
    const now = words(time);
    if (now !== null) time.textContent = now;
  }
}, 30 * SECOND);

async function fetched(url) {
  const answer = await fetch(url);
  // Whoever is signed out is led to another page: this one stays as it is.
  if (!answer.ok || answer.redirected) return null;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  adopt(page);
  return page;
}

function replace(old, fresh) {
  const focused = old.contains(document.activeElement) ? document.activeElement.getAttribute("href") : null;
  const chosen = old.querySelector("input:checked") !== null;
  const row = document.importNode(fresh, true);
  const box = row.querySelector('input[type="checkbox"]');
  if (box) box.checked = chosen;
  row.classList.add("fresh");
  old.replaceWith(row);
  if (focused) row.querySelector(`a[href="${CSS.escape(focused)}"]`)?.focus();
}

// What is seen and touched, and what waits to be drawn.
const touched = new Set();
const fresh = new Map(); // table -> ids of new deliveries
let webhooks = false;
// The page of one delivery or event follows what becomes of it.
const follows = document.querySelector("[data-follows]")?.dataset.follows;
let moved = false;
let wait = null;
const told = { new: 0, failed: 0 };

const tables = () => [...document.querySelectorAll("[data-rows][data-shape]")];
const isFiltered = () => [...new URLSearchParams(location.search)].some(([name, value]) => value && !["period", "said"].includes(name));

const full = (table) => (table.dataset.shape === "overview" ? OVERVIEW_ROWS : ROWS_MAX);

// Ids go by time: what is older than all of a full table stands on a page further back. It is retried, not new.
function isFurtherBack(table, id) {
  const rows = [...table.tBodies[0].rows];
  return rows.length >= full(table) && rows.every((row) => id < row.id);
}

function take(news) {
  let isShown = false;
  for (const table of tables()) {
    if (table.dataset.webhook && table.dataset.webhook !== news.webhook_id) continue;
    if (isFurtherBack(table, news.delivery_id)) continue;
    isShown = true;
    if (document.getElementById(news.delivery_id)) touched.add(news.delivery_id);
    else if (!fresh.get(table)?.has(news.delivery_id)) {
      if (!fresh.has(table)) fresh.set(table, new Set());
      const waiting = fresh.get(table);
      // More than a page can show need not be known one by one.
      if (waiting.size < KNOWN_MAX) waiting.add(news.delivery_id);
      told.new += 1;
    }
  }
  if (isShown && news.status === "failed") told.failed += 1;
  webhooks ||= [news.webhook_id, news.event_id].some((id) => document.getElementById(id) !== null);
  moved ||= follows !== undefined && [news.delivery_id, news.event_id].includes(follows);
  wait ??= setTimeout(draw, EACH_MS);
}

// One drawing at a time; what comes meanwhile waits for the next.
let drawing = false;
async function draw() {
  wait = null;
  if (document.hidden) return;
  if (drawing) {
    wait = setTimeout(draw, EACH_MS);
    return;
  }
  drawing = true;
  try {
    await drawOnce();
  } finally {
    drawing = false;
  }
}

async function drawOnce() {
  const now = [...touched];
  touched.clear();
  for (const table of tables()) {
    const ids = now.filter((id) => table.querySelector(`#${CSS.escape(id)}`)).slice(0, ROWS_MAX);
    if (ids.length > 0) {
      const page = await fetched(`${base}/deliveries/rows?shape=${table.dataset.shape}&ids=${ids.join(",")}`);
      for (const row of page?.querySelectorAll("tr") ?? []) {
        const old = table.querySelector(`#${CSS.escape(row.id)}`);
        if (old) replace(old, row);
      }
    }
    const waiting = fresh.get(table);
    if (waiting?.size > 0) {
      if (mayGrow(table)) await grow(table);
      else offer(table, waiting.size);
    }
  }
  if (webhooks) await drawWebhooks();
  if (moved) await drawPage();
}
document.addEventListener("visibilitychange", () => !document.hidden && draw());

// At the top, seen, and nothing in it has pointer, focus or selection.
function mayGrow(table) {
  const selection = getSelection();
  const touchedNow = table.matches(":hover") || table.contains(document.activeElement) ||
    (selection && !selection.isCollapsed && table.contains(selection.anchorNode));
  return !isFiltered() && !touchedNow && table.getBoundingClientRect().top > 0 && !table.parentElement.querySelector(".new-rows");
}

async function grow(table) {
  const ids = [...(fresh.get(table) ?? [])].slice(-ROWS_MAX);
  fresh.delete(table);
  table.parentElement.querySelector(".new-rows")?.remove();
  if (isFiltered()) return location.reload();
  const page = await fetched(`${base}/deliveries/rows?shape=${table.dataset.shape}&ids=${ids.reverse().join(",")}`);
  const body = table.tBodies[0];
  const most = Math.max(body.rows.length, full(table));
  const rows = [...(page?.querySelectorAll("tr") ?? [])].filter((row) => !document.getElementById(row.id));
  for (const row of rows.reverse()) {
    const drawn = document.importNode(row, true);
    drawn.classList.add("fresh");
    body.prepend(drawn);
  }
  while (body.rows.length > most) body.lastElementChild.remove();
}

function offer(table, count) {
  let bar = table.parentElement.querySelector(".new-rows");
  if (!bar) {
    bar = document.createElement("div");
    bar.className = "new-rows";
    const button = document.createElement("button");
    button.type = "button";
    button.addEventListener("click", () => grow(table));
    bar.append(button);
    table.before(bar);
  }
  bar.firstElementChild.textContent = `${count}${count >= KNOWN_MAX ? " or more" : ""} new ${count === 1 ? "delivery" : "deliveries"} · show`;
}

// The table of webhooks says when each had its last event: drawn again, but seldom.
let drawnAt = 0;
async function drawWebhooks() {
  if (Date.now() - drawnAt < 5 * SECOND) {
    wait ??= setTimeout(draw, 5 * SECOND);
    return;
  }
  [webhooks, drawnAt] = [false, Date.now()];
  const page = await fetched(location.href);
  for (const row of page?.querySelectorAll("[data-rows] tbody tr[id]") ?? []) {
    const old = document.getElementById(row.id);
    if (!old || old.contains(document.activeElement) || old.querySelector("details[open]")) continue;
    if (old.outerHTML !== row.outerHTML) old.replaceWith(document.importNode(row, true));
  }
}

// Part by part; what somebody has focus, selection or something opened in stays as it is.
async function drawPage() {
  moved = false;
  const page = await fetched(location.href);
  const [now, old] = [page?.querySelector("main > .page"), document.querySelector("main > .page")];
  if (!now || !old || now.children.length !== old.children.length) return;
  const selection = getSelection();
  const used = (part) => part.contains(document.activeElement) || part.querySelector("details[open]") !== null ||
    (selection && !selection.isCollapsed && part.contains(selection.anchorNode));
  const fresh = [...now.children].map((part) => document.importNode(part, true));
  [...old.children].forEach((part, place) => {
    if (used(part)) return;
    if (badge) fresh[place].querySelector("[data-live-badge]")?.replaceWith(badge);
    part.replaceWith(fresh[place]);
  });
  wake(old);
}

// One sentence for screen readers at most every ten seconds.
setInterval(() => {
  if (told.new > 0) say(`${told.new} new ${told.new === 1 ? "delivery" : "deliveries"}${told.failed ? `, ${told.failed} failed` : ""}`);
  told.new = told.failed = 0;
}, 10 * SECOND);

// The connection, and what the badge says of it.
function show(state, text) {
  badge.hidden = false;
  badge.firstElementChild.className = `dot ${state}`;
  badge.lastElementChild.textContent = text;
}

// More happened than was told: one quiet look at everything.
async function lookAgain() {
  const page = await fetched(location.href);
  const [all, now] = [page?.querySelectorAll("[data-rows] tbody") ?? [], document.querySelectorAll("[data-rows] tbody")];
  all.forEach((body, place) => now[place]?.replaceWith(document.importNode(body, true)));
  if (follows !== undefined) await drawPage();
}

// A portal's link that has ended: what stands here stays to be read, and says so. Nothing is loaded again, since what
// somebody has typed would be gone.
let ended = false;
async function lookWhetherEnded() {
  if (!base.startsWith("/portal/")) return;
  const answer = await fetch(location.href, { method: "HEAD" }).catch(() => null);
  if (answer?.status !== 410) return;
  ended = true;
  clearTimeout(lost);
  show("warn", "This link has ended. Open the page again from where you came from");
  say("This link has ended. Open the page again from where you came from");
}

let stream = null;
let lost = null;
function follow() {
  stream = new EventSource(`${base}/live`);
  stream.addEventListener("open", () => {
    clearTimeout(lost);
    show("ok pulse", "Live");
  });
  stream.addEventListener("delivery", (event) => take(JSON.parse(event.data)));
  stream.addEventListener("reset", lookAgain);
  stream.addEventListener("error", () => {
    if (stream?.readyState === EventSource.CLOSED) void lookWhetherEnded();
    const since = new Date().toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
    clearTimeout(lost);
    lost = setTimeout(() => {
      const closed = stream?.readyState === EventSource.CLOSED;
      show("warn", `Shown as of ${since}${closed ? ". Load the page again" : ", trying again"}`);
    }, 5 * SECOND);
  });
}

if (badge && base) {
  follow();
  // A tab that nobody looks at keeps no connection: browsers have few of them for one server.
  let leaving = null;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(leaving);
    if (document.hidden) {
      leaving = setTimeout(() => {
        stream.close();
        stream = null;
      }, 30 * SECOND);
    } else if (stream === null && !ended) {
      follow();
      lookAgain();
    }
  });
  addEventListener("pagehide", () => stream?.close());
}
