// Questions before what cannot be undone: the page that a link with data-dialog leads to, in a dialog.
// Without scripts, or when the page cannot be fetched, the link leads there.

import { adopt } from "./adopt.js";

export async function openFrom(link) {
  const answer = await fetch(link.href, { headers: { accept: "text/html" } });
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const body = page.querySelector("[data-dialog-body]");
  if (!answer.ok || !body) throw new Error("the page holds no question");
  const dialog = document.createElement("dialog");
  body.classList.remove("panel", "asks");
  const title = body.querySelector("[data-dialog-title]");
  if (title) {
    title.id = "dialog-title";
    dialog.setAttribute("aria-labelledby", "dialog-title");
  }
  dialog.append(document.importNode(body, true));
  adopt(page);
  document.body.append(dialog);
  dialog.addEventListener("close", () => {
    dialog.remove();
    link.focus();
  });
  dialog.addEventListener("click", (event) => {
    // The keep button, or the dark around the dialog.
    if (event.target === dialog || event.target.closest("[data-close]")) {
      event.preventDefault();
      dialog.close();
    }
  });
  dialog.showModal();
  dialog.querySelector("[data-close]")?.focus();
}

document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-dialog]");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  const menu = link.closest("details.menu");
  if (menu) menu.open = false;
  try {
    await openFrom(link);
  } catch {
    location.href = link.href;
  }
});
