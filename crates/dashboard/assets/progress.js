// A job's progress, drawn again every second as long as it runs.

import { adopt } from "./adopt.js";
import { say } from "./main.js";

function watch(panel) {
  const tick = async () => {
    if (document.hidden || panel.contains(document.activeElement)) return setTimeout(tick, 1000);
    try {
      const answer = await fetch(panel.dataset.job);
      if (!answer.ok || answer.redirected) return setTimeout(tick, 5000);
      const page = new DOMParser().parseFromString(await answer.text(), "text/html");
      const drawn = page.querySelector("section");
      if (!drawn) return setTimeout(tick, 5000);
      adopt(page);
      const fresh = document.importNode(drawn, true);
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
