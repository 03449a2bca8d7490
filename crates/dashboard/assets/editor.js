// The editor of a command: a textarea that counts its lines, indents, runs and saves. Without this module it is a
// plain textarea, and everything is done by buttons.

import { say, wake as rouse } from "./main.js";

const INDENT = "  ";

/** Puts text where the caret is, so that the browser's own undo takes it back. */
function insert(area, text) {
  if (!document.execCommand("insertText", false, text)) area.setRangeText(text, area.selectionStart, area.selectionEnd, "end");
}

/** The beginning of the line at a place. */
const lineStart = (area, place) => area.value.lastIndexOf("\n", place - 1) + 1;

/** Sends the form, and shows the page that comes back without leaving this one. */
async function inPlace(form, submitter, stays) {
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form, submitter)) });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const [fresh, old] = [page.querySelector("#main .page"), document.querySelector("#main .page")];
  const section = fresh?.querySelector("[data-editor]");
  if (!section) throw new Error("another page came back");
  document.querySelector("svg.sprite").replaceWith(document.importNode(page.querySelector("svg.sprite"), true));
  old.replaceWith(document.adoptNode(fresh));
  const url = new URL(answer.url);
  url.searchParams.delete("said");
  history.replaceState(null, "", url);
  const area = section.querySelector("textarea");
  const saved = area.value;
  area.value = stays.text;
  wake(section, saved);
  if (stays.had) {
    area.focus({ preventScroll: true });
    area.setSelectionRange(stays.from, stays.to);
  }
  fresh.querySelector("[data-focus]")?.focus();
  const words = page.querySelector("[data-toast]")?.textContent ?? section.parentElement.querySelector("[data-run-panel] .badge")?.textContent;
  if (words) say(words);
  rouse(fresh);
}

function wake(section, stored) {
  const area = section.querySelector("textarea");
  const gutter = section.querySelector(".gutter");
  const caret = section.querySelector("[data-caret]");
  const saved = section.querySelector("[data-saved]");
  const form = area.form;
  const first = stored ?? area.value;
  let leaving = false;
  let sent = false;
  section.querySelector("[data-keys]").hidden = false;

  function count() {
    const lines = area.value.split("\n").length;
    if (gutter.dataset.lines !== String(lines)) {
      gutter.dataset.lines = lines;
      gutter.textContent = Array.from({ length: lines }, (_, place) => place + 1).join("\n") + "\n";
    }
    area.rows = Math.max(20, lines);
  }
  function place() {
    const before = area.value.slice(0, area.selectionStart);
    const line = before.split("\n").length;
    caret.textContent = `Line ${line}, column ${area.selectionStart - before.lastIndexOf("\n")}`;
  }
  area.addEventListener("input", () => {
    // A mark belongs to the code that was run.
    section.querySelector(".marks")?.remove();
    count();
    place();
    saved.textContent = area.value === first ? "as saved" : "changed, not saved";
  });
  document.addEventListener("selectionchange", () => {
    if (document.activeElement === area) place();
  });

  function indent(back) {
    const from = lineStart(area, area.selectionStart);
    const { selectionStart, selectionEnd, value } = area;
    const several = value.slice(selectionStart, selectionEnd).includes("\n");
    if (!several && !back) {
      insert(area, INDENT.slice((selectionStart - from) % INDENT.length));
      return;
    }
    const old = value.slice(from, selectionEnd);
    const fresh = back ? old.replace(/^ {1,2}/gm, "") : old.replace(/^(?=.)/gm, INDENT);
    if (fresh === old) return;
    area.setSelectionRange(from, selectionEnd);
    insert(area, fresh);
    if (several) area.setSelectionRange(from, from + fresh.length);
  }
  area.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      leaving = true;
      return;
    }
    const plain = !event.ctrlKey && !event.metaKey && !event.altKey;
    if (event.key === "Tab" && plain && !leaving) {
      event.preventDefault();
      indent(event.shiftKey);
    } else if (event.key === "Enter" && plain && !event.shiftKey && !event.isComposing) {
      const from = lineStart(area, area.selectionStart);
      const [blanks] = area.value.slice(from, area.selectionStart).match(/^ */);
      if (blanks) {
        event.preventDefault();
        insert(area, `\n${blanks}`);
      }
    }
    if (event.key !== "Shift") leaving = false;
  });

  // In the whole form: what it is run with is part of it.
  form.addEventListener("keydown", (event) => {
    if (!(event.ctrlKey || event.metaKey)) return;
    const button = event.key === "Enter" ? "[data-run]" : event.key.toLowerCase() === "s" ? "[data-save]" : "";
    if (!button) return;
    event.preventDefault();
    document.querySelector(button)?.click();
  });
  form.addEventListener("submit", async (event) => {
    sent = true;
    if (!("inPlace" in form.dataset)) return;
    event.preventDefault();
    // Code and caret stay where they are; everything else is drawn anew by the server.
    const stays = { text: area.value, from: area.selectionStart, to: area.selectionEnd, had: document.activeElement === area };
    try {
      await inPlace(form, event.submitter, stays);
    } catch {
      delete form.dataset.inPlace;
      delete form.dataset.sent;
      form.requestSubmit(event.submitter);
    }
  });
  addEventListener("pageshow", () => (sent = false));
  addEventListener("beforeunload", (event) => {
    if (!sent && area.value !== first) event.preventDefault();
  });

  // The line that threw comes into view; without one, nothing moves.
  section.querySelector(".gutter b")?.scrollIntoView({ block: "nearest" });
  gutter.dataset.lines = first.split("\n").length;
}

for (const section of document.querySelectorAll("[data-editor]")) wake(section);
