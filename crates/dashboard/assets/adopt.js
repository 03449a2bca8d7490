// Parts of another page are drawn here: the icons that they refer to come along.

export function adopt(page) {
  const sprite = document.querySelector("svg.sprite");
  for (const symbol of page.querySelectorAll("svg.sprite symbol")) {
    if (!document.getElementById(symbol.id)) sprite.append(document.importNode(symbol, true));
  }
}
