// What is done to a webhook by one button, without leaving the page: switches flip at once and go back with the
// reason if they are refused; a test opens its answer in place. Without scripts both are forms that lead to a page.

import { adopt } from "./adopt.js";
import { say, tell, wake } from "./main.js";

/** Sends a form; the page that it leads to, or why it was refused. Where no whole answer came, nobody here knows whether
 * it was carried out. */
async function send(form, submitter) {
  const fields = new URLSearchParams(new FormData(form, submitter));
  let answer, text;
  try {
    answer = await fetch(form.action, { method: "POST", body: fields });
    text = await answer.text();
  } catch {
    return { unknown: true, reason: "Load the page again to see how it stands." };
  }
  const page = new DOMParser().parseFromString(text, "text/html");
  if (answer.ok && new URL(answer.url).pathname === "/login") return { reason: "Your session has ended. Sign in again." };
  if (answer.ok) return { page, url: answer.url };
  // A page that stands alone says it in its title: that a portal has closed, say.
  const alone = [...page.querySelectorAll("h1, h1 + p")].map((part) => part.textContent).join(". ");
  const reason = page.querySelector("[data-reason]")?.textContent ?? alone;
  return { reason: reason || `The server answered ${answer.status}.` };
}

/** A form can be sent once more. */
function rest(form, submitter) {
  delete form.dataset.sent;
  submitter?.removeAttribute("aria-busy");
}

/** A line that says how something ended; the way on may be a link. */
function notice(good, title, text, way) {
  const line = document.createElement("div");
  line.className = `notice ${good ? "ok" : "bad"}`;
  line.setAttribute("role", good ? "status" : "alert");
  const inner = document.createElement("div");
  const strong = document.createElement("strong");
  strong.textContent = title;
  inner.append(strong);
  if (text) inner.append(Object.assign(document.createElement("div"), { textContent: text }));
  line.append(inner);
  if (way) line.append(Object.assign(document.createElement("a"), { className: "button small", textContent: way[0], href: way[1] }));
  return line;
}

/** Puts something below what a form stands in, in the place of what stood there before. */
function open(form, ...parts) {
  const row = form.closest("tr");
  document.querySelector(".answer")?.remove();
  let place;
  if (row) {
    place = document.createElement("tr");
    const cell = document.createElement("td");
    cell.colSpan = row.cells.length;
    cell.append(...parts);
    place.append(cell);
    row.after(place);
  } else {
    place = document.createElement("div");
    place.className = "stack tight";
    place.append(...parts);
    document.querySelector("main > .page > .head").after(place);
  }
  place.classList.add("answer");
  place.scrollIntoView({ block: "nearest" });
}

// Switches

/** Shows a switch as if the act had been done; gives back how it was. */
function flip(form, verb) {
  const toggle = (form.closest("tr") ?? form.closest(".head") ?? document).querySelector(".toggle");
  if (!toggle) return () => {};
  const [on, held] = [toggle.getAttribute("aria-checked"), toggle.hasAttribute("data-held")];
  if (verb === "enable" || verb === "disable") toggle.setAttribute("aria-checked", String(verb === "enable"));
  else toggle.toggleAttribute("data-held", verb === "pause");
  toggle.setAttribute("aria-busy", "true");
  return () => {
    toggle.setAttribute("aria-checked", on);
    toggle.toggleAttribute("data-held", held);
    toggle.removeAttribute("aria-busy");
  };
}

/** Takes over what the act changed: a row and the counts above it, or the page of the webhook. */
function take(form, page) {
  adopt(page);
  const pairs = (selector) => {
    const [drawn, old] = [page.querySelector(selector), document.querySelector(selector)];
    if (!drawn || !old) return;
    const fresh = document.importNode(drawn, true);
    // The badge says how the connection is, which the server does not know.
    const badge = old.querySelector("[data-live-badge]");
    if (badge) fresh.querySelector("[data-live-badge]")?.replaceWith(badge);
    old.replaceWith(fresh);
  };
  const row = form.closest("tr[id]");
  if (row) {
    for (const selector of [`#${CSS.escape(row.id)}`, ".filters .segments", ".side .nav", ".tabbar"]) pairs(selector);
  } else {
    for (const selector of ["main > .page", ".side .nav", ".tabbar"]) pairs(selector);
  }
  wake(document);
}

async function change(form, submitter) {
  const verb = form.dataset.optimistic;
  const kind = submitter?.getAttribute("role") === "switch" ? ".toggle" : "form[data-optimistic] button:not(.toggle)";
  const id = form.closest("tr[id]")?.id;
  const back = flip(form, verb);
  form.closest("details.menu")?.removeAttribute("open");
  const { page, unknown, reason } = await send(form, submitter);
  if (!page) {
    back();
    rest(form, submitter);
    const title = unknown ? "The server did not answer, so it is not known whether this was changed." : "Nothing was changed.";
    open(form, notice(false, title, reason));
    submitter?.focus();
    return;
  }
  document.querySelector(".answer")?.remove();
  take(form, page);
  const words = page.querySelector("[data-toast]")?.textContent;
  if (words) tell(words);
  const within = id ? document.getElementById(id) : document.querySelector("main .head");
  (within?.querySelector(kind) ?? within?.querySelector(".toggle"))?.focus();
}

// Tests

async function test(form, submitter) {
  const button = submitter ?? form.querySelector("button");
  const before = [...button.childNodes];
  const begun = Date.now();
  const isWord = button.textContent.trim() !== "";
  form.closest("details.menu")?.removeAttribute("open");
  say("The test is being sent");
  const count = () => {
    const seconds = Math.floor((Date.now() - begun) / 1000);
    if (isWord) button.replaceChildren(seconds > 0 ? `Sending… ${seconds} s` : "Sending…");
  };
  button.classList.add("counting");
  count();
  const ticking = setInterval(count, 1000);
  const { page, url, unknown, reason } = await send(form, submitter);
  clearInterval(ticking);
  button.replaceChildren(...before);
  button.classList.remove("counting");
  rest(form, button);
  if (!page) {
    const title = unknown ? "The server did not answer, so it is not known whether the test was sent." : "The test was not sent.";
    return open(form, notice(false, title, reason));
  }
  const good = new URL(url).searchParams.get("said")?.startsWith("test-taken") ?? false;
  const sentence = page.querySelector("main h2")?.textContent ?? "";
  const delivery = new URL(url);
  delivery.search = "";
  const line = notice(good, good ? "The receiver took the test." : "The receiver did not take the test.", sentence, ["Open the delivery", delivery.href]);
  const attempt = form.closest("tr") ? null : page.querySelector("[data-attempt]");
  adopt(page);
  open(form, line, ...(attempt ? [document.importNode(attempt, true)] : []));
  wake(document);
  await drawHistory();
}

/** The test is part of the history. */
async function drawHistory() {
  const old = document.getElementById("history");
  if (!old) return;
  const answer = await fetch(location.href);
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("history");
  if (!fresh || old.contains(document.activeElement)) return;
  adopt(page);
  old.replaceWith(document.importNode(fresh, true));
}

document.addEventListener("submit", (event) => {
  const form = event.target;
  const act = form.hasAttribute("data-test") ? test : form.dataset.optimistic ? change : null;
  // A form that is under way is left alone by what comes before this.
  if (!act || event.defaultPrevented) return;
  event.preventDefault();
  act(form, event.submitter);
});
