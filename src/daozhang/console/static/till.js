// The keypad, and the sound that says whether the goods may go. All of it can be done without this.
(() => {
  "use strict";
  const field = document.querySelector("[data-amount]");
  const pad = document.querySelector("[data-keypad]");
  if (field && pad) {
    pad.hidden = false;
    pad.addEventListener("click", (event) => {
      const key = event.target.closest("[data-digit]")?.dataset.digit;
      if (!key) return;
      const before = field.value;
      const after = key === "back" ? before.slice(0, -1) : before + key;
      // Two places at most, one point; what does not fit is not typed.
      if (/^\d{0,8}(\.\d{0,2})?$/.test(after)) field.value = after;
    });
    // Digits that are typed anywhere belong to the amount.
    document.addEventListener("keydown", (event) => {
      if (event.ctrlKey || event.metaKey || event.altKey || !/^[0-9.]$/.test(event.key)) return;
      if (!event.target.closest("input, textarea, select, dialog[open]")) field.focus();
    });
  }

  // ---- sound: off until somebody wants it, kept in this browser
  const button = document.querySelector("[data-sound]");
  if (!button || !("AudioContext" in window)) return;
  const isOn = () => localStorage.getItem("daozhang_till_sound") === "on";
  const show = () => button.setAttribute("aria-pressed", String(isOn()));
  let speaker;
  const tone = (frequency, start, seconds) => {
    const oscillator = speaker.createOscillator();
    const volume = speaker.createGain();
    oscillator.frequency.value = frequency;
    volume.gain.setValueAtTime(0.2, speaker.currentTime + start);
    volume.gain.exponentialRampToValueAtTime(0.001, speaker.currentTime + start + seconds);
    oscillator.connect(volume).connect(speaker.destination);
    oscillator.start(speaker.currentTime + start);
    oscillator.stop(speaker.currentTime + start + seconds);
  };
  const sounds = {
    paid: () => { tone(880, 0, 0.15); tone(1320, 0.15, 0.35); },
    no: () => { tone(220, 0, 0.5); },
  };
  const BAD = ["declined", "not_paid", "not_sent", "needs_person"];
  const say = (state) => {
    if (!isOn()) return;
    const sound = state === "paid" ? sounds.paid : BAD.includes(state) ? sounds.no : null;
    if (!sound) return;
    speaker ??= new AudioContext();
    speaker.resume().then(sound);
  };
  button.hidden = false;
  show();
  button.addEventListener("click", () => {
    localStorage.setItem("daozhang_till_sound", isOn() ? "off" : "on");
    show();
    if (isOn()) say("paid");
  });
  // Once for each state of each sale: not again when the page is loaded again.
  const stateNow = () => document.getElementById("sale")?.dataset.state ?? "";
  const told = `${location.pathname}:told`;
  const look = () => {
    const state = stateNow();
    if (sessionStorage.getItem(told) === state) return;
    sessionStorage.setItem(told, state);
    say(state);
  };
  look();
  document.addEventListener("htmx:afterSettle", look);
})();
