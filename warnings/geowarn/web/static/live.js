// Says whether the line to the board still stands; htmx and its SSE extension do the rest.
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
  setInterval(() => { if (!document.hidden && Date.now() - heard > silent) say(true); }, 5000);
})();
