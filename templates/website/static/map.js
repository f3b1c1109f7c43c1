// Lets the map of a page be moved and enlarged once somebody asks for it: only then is Leaflet fetched, from this tree.
// The page is whole without it. What is shown is the page's own drawing; no tiles, no other host, no position is read.
(function () {
  "use strict";
  var me = document.currentScript;
  var words = me.dataset;
  var folder = me.src.replace(/map\.js.*$/, "");
  var drawing = document.querySelector("figure > .map");
  if (!drawing) return;
  var figure = drawing.parentNode;
  var place = drawing.nextSibling;
  var button = document.createElement("button");
  var live = null;
  var map = null;

  function size() {
    var box = drawing.viewBox && drawing.viewBox.baseVal;
    return box ? [box.height, box.width] : [drawing.naturalHeight, drawing.naturalWidth];
  }

  function fetched(tag, address, found) {
    return new Promise(function (good, bad) {
      var part = document.createElement(tag);
      part[tag === "script" ? "src" : "href"] = folder + address;
      if (tag === "link") part.rel = "stylesheet";
      part.onload = good;
      part.onerror = function () { part.remove(); bad(); };
      if (found()) good(); else document.head.append(part);
    });
  }

  function open() {
    var whole = [[0, 0], size()];
    var still = window.matchMedia("(prefers-reduced-motion: reduce)").matches;
    live = document.createElement("div");
    live.className = "map-live";
    live.style.height = Math.max(drawing.getBoundingClientRect().height, 320) + "px";
    live.setAttribute("role", "region");
    live.setAttribute("aria-label", words.label);
    figure.insertBefore(live, place);
    map = L.map(live, {
      crs: L.CRS.Simple, attributionControl: false, zoomControl: false, zoomSnap: 0, scrollWheelZoom: false,
      maxBounds: L.latLngBounds(whole).pad(0.2), minZoom: -5, inertia: !still,
      zoomAnimation: false // it may still run when the map is shut, and fail then
    });
    L.control.zoom({ zoomInTitle: words.nearer, zoomOutTitle: words.farther }).addTo(map);
    (drawing.viewBox ? L.svgOverlay : L.imageOverlay)(drawing, whole, { alt: drawing.alt || "" }).addTo(map);
    map.fitBounds(whole, { animate: false });
    map.setMinZoom(map.getZoom());
    map.setMaxZoom(map.getZoom() + 4);
    button.textContent = words.shut;
    button.setAttribute("aria-expanded", "true");
    live.focus();
  }

  function shut() {
    map.remove();
    live.remove();
    map = null;
    drawing.removeAttribute("style");
    drawing.classList.remove("leaflet-image-layer", "leaflet-zoom-animated");
    figure.insertBefore(drawing, place);
    button.textContent = words.open;
    button.setAttribute("aria-expanded", "false");
  }

  function pressed() {
    if (map) { shut(); return; }
    button.disabled = true;
    fetched("link", "leaflet-1.9.4.css", function () { return window.L; })
      .then(function () { return fetched("script", "leaflet-1.9.4.js", function () { return window.L; }); })
      .then(open)
      .catch(function () { button.textContent = words.failed; })
      .then(function () { button.disabled = false; });
  }

  button.type = "button";
  button.className = "btn map-btn";
  button.textContent = words.open;
  button.setAttribute("aria-expanded", "false");
  button.addEventListener("click", pressed);
  figure.insertBefore(button, place);
  place = button;
})();
