// What scripts add to pages that work without them: copying, dialogs, menus, times, shortcuts.
// Loaded once by every page; modules that only some pages need are imported where they are needed.

import "./dialogs.js";
import "./keys.js";

const root = document.documentElement;

// The viewer's zone, so that the server writes dates in it from the next page on.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && zone !== root.dataset.zone) {
  document.cookie = `tidings_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax`;
}

/** Says something to screen readers. */
export function say(words) {
  const place = document.getElementById("live-words");
  if (place) place.textContent = words;
}

// Copy buttons are hidden where they could do nothing.
export function wake(within) {
  for (const button of within.querySelectorAll("[data-copy]")) button.hidden = false;
}
wake(document);

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  try {
    await navigator.clipboard.writeText(button.dataset.copy);
    button.classList.add("copied");
    say("Copied");
    setTimeout(() => button.classList.remove("copied"), 1500);
  } catch {
    say("The browser does not allow copying here");
  }
});

// Menus close when something else is clicked, or by Escape.
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target)) menu.open = false;
  }
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    menu.open = false;
    menu.querySelector("summary")?.focus();
  }
});

// A form is sent once, however often its button is pressed.
document.addEventListener("submit", (event) => {
  const form = event.target;
  if (form.dataset.sent) {
    event.preventDefault();
    return;
  }
  if (form.method === "post") {
    form.dataset.sent = "1";
    const button = event.submitter;
    if (button) button.setAttribute("aria-busy", "true");
  }
});
// Coming back by the browser's own buttons makes a form usable again.
addEventListener("pageshow", () => {
  for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
});

// The link of the first start carries its code behind "#", where no server or log sees it.
const code = document.querySelector('form[action="/start"] [name="token"]');
function takeCode() {
  if (!code || location.hash.length < 2) return;
  code.value = location.hash.slice(1);
  code.closest(".field").hidden = true;
  history.replaceState(null, "", location.pathname);
}
takeCode();
// The link may also be pasted into a tab that shows this page already.
addEventListener("hashchange", takeCode);

if (document.querySelector("[data-live-badge], time[data-time]")) import("./live.js");
if (document.querySelector("[data-narrow], [data-webhook-form], [data-filter]")) import("./forms.js");

// A choice that filters is looked for at once.
document.addEventListener("change", (event) => {
  if (event.target.matches?.("[data-submits]")) event.target.form?.requestSubmit();
});

// Reasons against a form get the focus.
document.querySelector("[data-focus]")?.focus();

// A toast goes by itself, unless it is looked at.
const told = new URL(location.href);
if (told.searchParams.has("said") || told.searchParams.has("did")) {
  // Looking at the page again must not tell it again.
  told.searchParams.delete("said");
  told.searchParams.delete("did");
  history.replaceState(null, "", told);
}
function fade(toast) {
  const wait = () => setTimeout(() => (toast.matches(":hover, :focus-within") ? wait() : toast.remove()), 6000);
  wait();
}
for (const toast of document.querySelectorAll("[data-toast]")) fade(toast);

/** Confirms what was done without a new page. */
export function tell(words) {
  let place = document.querySelector(".toasts");
  if (!place) {
    place = document.createElement("div");
    place.className = "toasts";
    document.body.append(place);
  }
  const toast = document.createElement("div");
  toast.className = "toast";
  toast.setAttribute("role", "status");
  toast.textContent = words;
  place.replaceChildren(toast);
  fade(toast);
}

// Where there is more than fits, what is chosen is in view.
for (const chosen of document.querySelectorAll(":is(.tabs, .segments, .schedule) [aria-current]")) {
  const box = chosen.closest(".tabs, .segments, .schedule");
  box.scrollLeft = chosen.getBoundingClientRect().left - box.getBoundingClientRect().left + box.scrollLeft -
    (box.clientWidth - chosen.clientWidth) / 2;
}

// Modules that only some pages need.
if (document.querySelector("[data-job]")) import("./progress.js");
if (document.querySelector("[data-editor]")) import("./editor.js");
if (document.querySelector("[data-signing]")) import("./signing.js");
if (document.querySelector("[data-optimistic], [data-test]")) import("./acts.js");
