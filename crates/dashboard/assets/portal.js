// In a frame: the platform's page learns how high this one is.
if (window.parent !== window) {
  document.documentElement.dataset.framed = "";
  const height = () => Math.ceil(document.body.getBoundingClientRect().height);
  const tell = () => window.parent.postMessage({ type: "tidings:height", height: height() }, "*");
  new ResizeObserver(tell).observe(document.body);
  tell();
}
