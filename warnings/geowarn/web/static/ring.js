// Makes what rings heard: counts down, flashes the title and sounds. Every page works without it.
"use strict";
(() => {
  const own = document.currentScript.dataset;
  const title = document.title;
  const ahead = Number(own.now) - Math.floor(Date.now() / 1000); // the clock of this machine may go wrong
  let tasks = [], audio = null, flash = false, known = null, said = false;

  const lasting = (seconds) => {
    const two = (n) => String(n).padStart(2, "0");
    const fill = (text, facts) => text.replace(/\{(\w+)\}/g, (_, name) => facts[name]);
    if (seconds < 60) return fill(own.seconds, { seconds });
    if (seconds < 3600) return fill(own.minutes, { minutes: Math.floor(seconds / 60), seconds: two(seconds % 60) });
    return fill(own.hours, { hours: Math.floor(seconds / 3600), minutes: two(Math.floor(seconds / 60) % 60) });
  };
  const count = () => {
    for (const time of document.querySelectorAll("[data-until]")) {
      const left = Math.max(0, Number(time.dataset.until) - Math.floor(Date.now() / 1000) - ahead);
      time.textContent = lasting(left);
      time.classList.toggle("soon", left < 180);
      const status = document.getElementById("left-said");
      if (left < 180 && status && !said) { said = true; status.textContent = status.dataset.said; }
    }
  };
  const tone = (at, pitch) => {
    const sound = audio.createOscillator(), volume = audio.createGain();
    sound.frequency.value = pitch;
    volume.gain.setValueAtTime(0.2, at);
    volume.gain.exponentialRampToValueAtTime(0.001, at + 0.4);
    sound.connect(volume).connect(audio.destination);
    sound.start(at);
    sound.stop(at + 0.4);
  };
  const sound = () => {
    audio = audio || new AudioContext();
    place.hidden = audio.state === "running";
    if (audio.state !== "running") return;
    tone(audio.currentTime, 880);
    tone(audio.currentTime + 0.45, 660);
  };
  const button = document.createElement("button");
  button.type = "button";
  button.className = "link";
  button.textContent = own.sound;
  const place = document.createElement("span");
  place.hidden = true;
  place.append(button);
  button.addEventListener("click", () => { audio = audio || new AudioContext(); audio.resume().then(sound); });
  const note = document.createElement("p");
  note.className = "ringing";
  note.setAttribute("role", "status");
  const show = (fresh) => {
    const link = document.createElement("a");
    link.href = fresh.page;
    link.textContent = fresh.text;
    note.replaceChildren(link);
    if (!note.isConnected) document.getElementById("main").prepend(note);
  };
  const ring = () => {
    const ringing = tasks.filter((task) => task.rings);
    flash = ringing.length > 0 && !flash;
    document.title = flash ? `${own.mark} ${ringing[0].text}` : title;
    if (ringing.length && flash) sound();
  };
  const poll = async () => {
    try {
      const answer = await fetch("/console/ring.json?quiet=1", { credentials: "same-origin", redirect: "manual" });
      if (!answer.ok) return;
      tasks = await answer.json();
      const ids = new Set(tasks.map((task) => task.id));
      const fresh = known === null ? [] : tasks.filter((task) => !known.has(task.id));
      known = known === null ? ids : new Set([...known, ...ids]);
      if (fresh.length) show(fresh[0]);
    } catch (error) {
      // The line is broken: the page keeps what it shows, and asks again.
    }
  };
  document.querySelector(".me")?.prepend(place);
  setInterval(count, 1000);
  setInterval(ring, 1500);
  setInterval(poll, 5000);
  poll().then(ring);
})();
