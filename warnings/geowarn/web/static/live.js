// Says whether the line to the board still stands, and draws the page anew where it does not come back by itself;
// htmx and its SSE extension do the rest.
(() => {
  const line = document.getElementById("line");
  if (!line) return;
  const silent = 40000; // milliseconds; the board is drawn again every 15 seconds
  let heard = Date.now();
  const say = (lost) => {
    line.hidden = false;
    line.querySelector("[data-well]").hidden = lost;
    line.querySelector("[data-lost]").hidden = !lost;
  };
  document.addEventListener("htmx:sse:after:message", () => { heard = Date.now(); say(false); });
  document.addEventListener("htmx:sse:error", () => say(true));
  const again = () => fetch(`${location.href.split("#")[0]}`, { credentials: "same-origin", redirect: "manual" })
    .then((answer) => { if (answer.ok) location.reload(); })
    .catch(() => {}); // not yet
  setInterval(() => {
    if (document.hidden || Date.now() - heard <= silent) return;
    say(true);
    if (Date.now() - heard > 2 * silent) { heard = Date.now() - silent; again(); }
  }, 5000);
})();
