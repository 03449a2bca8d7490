// Help within forms: narrowing long lists of boxes, radios that follow what is typed, and drafts that
// are not lost by leaving the page unasked.

import { adopt } from "./adopt.js";

for (const input of document.querySelectorAll("[data-narrow]")) {
  const box = input.closest(".event-box");
  input.addEventListener("input", () => {
    const wanted = input.value.trim().toLowerCase();
    for (const group of box.querySelectorAll(".event-grid")) {
      let some = false;
      for (const pick of group.querySelectorAll(".pick")) {
        pick.hidden = wanted !== "" && !pick.textContent.toLowerCase().includes(wanted);
        some ||= !pick.hidden;
      }
      group.hidden = !some;
      group.previousElementSibling.hidden = !some;
    }
  });
  // Enter in the search must not send the form.
  input.addEventListener("keydown", (event) => event.key === "Enter" && event.preventDefault());
}

// Ticking a type means that types are chosen; writing scopes means only these.
const choose = (form, name, value) => {
  const radio = form.querySelector(`[name="${name}"][value="${value}"]`);
  if (radio) radio.checked = true;
};
for (const form of document.querySelectorAll("[data-webhook-form]")) {
  form.addEventListener("input", (event) => {
    const { name, value } = event.target;
    if (name === "events" || (name === "patterns" && value)) choose(form, "which", "chosen");
    if (name === "scopes" && value) choose(form, "scope_mode", "some");
    if (name === "secret" && value) choose(form, "secret_mode", "mine");
  });
}

// A filter that is typed is looked for after a moment.
for (const input of document.querySelectorAll("[data-filter]")) {
  let wait;
  input.addEventListener("input", () => {
    clearTimeout(wait);
    wait = setTimeout(async () => {
      const form = input.form;
      const url = `${location.pathname}?${new URLSearchParams(new FormData(form))}`;
      const answer = await fetch(url);
      if (!answer.ok) return;
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      adopt(page);
      const [fresh, old] = [page.querySelector("[data-rows], [data-none]"), document.querySelector("[data-rows], [data-none]")];
      if (!fresh || !old) return form.requestSubmit();
      old.replaceWith(document.importNode(fresh, true));
      const [feet, foot] = [page.querySelector(".panel-foot"), document.querySelector(".panel-foot")];
      if (feet && foot) foot.replaceWith(document.importNode(feet, true));
      history.replaceState(null, "", url);
    }, 150);
  });
}
