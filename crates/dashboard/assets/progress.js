// A job's progress, drawn again every second as long as it runs.

import { say } from "./main.js";

function watch(panel) {
  const tick = async () => {
    if (document.hidden || panel.contains(document.activeElement)) return setTimeout(tick, 1000);
    try {
      const answer = await fetch(panel.dataset.job, { credentials: "same-origin" });
      if (!answer.ok) return setTimeout(tick, 5000);
      const holder = document.createElement("template");
      holder.innerHTML = await answer.text();
      const fresh = holder.content.firstElementChild;
      if (!fresh) return setTimeout(tick, 5000);
      panel.replaceWith(fresh);
      panel = fresh;
    } catch {
      return setTimeout(tick, 5000);
    }
    if (panel.dataset.job) setTimeout(tick, 1000);
    else say(panel.querySelector("h2")?.textContent ?? "");
  };
  setTimeout(tick, 1000);
}

for (const panel of document.querySelectorAll("[data-job]")) watch(panel);
