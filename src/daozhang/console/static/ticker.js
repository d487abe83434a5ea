// The spoken ticker: "支付宝到账 88.88 元", by the browser's own voice, if its switch is on.
// Spoken is an order that was told of live as paid: once, whichever window it is in; never one that the
// page already showed, that it missed while it was away, that was paid late, or that is a refund.
(() => {
  "use strict";
  const SWITCH = "daozhang_speaks", SAID = "daozhang_said";
  const SAID_MAX = 200, STALE_MILLISECONDS = 60000;
  if (!("speechSynthesis" in window)) return;

  const isOn = () => localStorage.getItem(SWITCH) === "yes";
  const show = () => {
    const button = document.getElementById("speak");
    if (!button) return;
    button.hidden = false;
    button.setAttribute("aria-pressed", String(isOn()));
  };

  // ---- one after another, and nothing that is no longer news
  const queue = [];
  let speaking = false;
  const next = () => {
    const one = queue.shift();
    speaking = one !== undefined;
    if (!speaking) return;
    if (!isOn() || Date.now() - one.at > STALE_MILLISECONDS) { next(); return; }
    const words = new SpeechSynthesisUtterance(one.text);
    words.lang = one.language;
    const voice = speechSynthesis.getVoices().find(
      (each) => each.lang.replace("_", "-").startsWith(one.language.slice(0, 2)));
    if (voice) words.voice = voice;
    words.onend = next;
    words.onerror = (event) => {
      const blocked = document.getElementById("speak-blocked");
      if (event.error === "not-allowed" && blocked) blocked.hidden = false;
      next();
    };
    speechSynthesis.speak(words);
  };
  const say = (text, language) => {
    queue.push({ text, language, at: Date.now() });
    if (!speaking) next();
  };

  // ---- once for each order, in all windows together
  const claim = (order) => {
    const said = JSON.parse(localStorage.getItem(SAID) ?? "[]");
    if (said.includes(order)) return false;
    localStorage.setItem(SAID, JSON.stringify([...said, order].slice(-SAID_MAX)));
    return true;
  };
  const alone = (work) => (navigator.locks ? navigator.locks.request(SAID, work) : work());

  const heard = new Set();
  document.addEventListener("console:change", ({ detail }) => {
    if (detail.type === "order.paid" && isOn()) heard.add(detail.id);
  });
  document.addEventListener("htmx:afterSettle", () => {
    show();
    const list = document.getElementById("ticker");
    if (!list || heard.size === 0) return;
    const rows = [...list.querySelectorAll("[data-row]")].reverse();
    for (const row of rows) {
      if (!heard.delete(row.dataset.row) || !row.dataset.say) continue;
      const { order, say: text } = row.dataset, language = list.dataset.speech;
      alone(() => { if (claim(order)) say(text, language); });
    }
  });

  document.addEventListener("click", (event) => {
    if (!event.target.closest("#speak")) return;
    localStorage.setItem(SWITCH, isOn() ? "no" : "yes");
    if (!isOn()) { heard.clear(); queue.length = 0; speechSynthesis.cancel(); }
    const blocked = document.getElementById("speak-blocked");
    if (blocked) blocked.hidden = true;
    show();
  });
  addEventListener("storage", show);
  document.addEventListener("DOMContentLoaded", show);
})();
