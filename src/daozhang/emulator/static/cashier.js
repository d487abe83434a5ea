"use strict";
// The page works without this: here the time counts down, a second click does nothing, and a
// payment made elsewhere (another tab, a test) is noticed.
(() => {
  const form = document.getElementById("pay");
  const countdown = document.getElementById("countdown");
  const began = performance.now();
  const remaining = Number(countdown.dataset.remainingSeconds);

  const two = (number) => String(number).padStart(2, "0");
  const written = (seconds) => {
    const days = Math.floor(seconds / 86400);
    const hours = Math.floor((seconds % 86400) / 3600);
    const minutes = Math.floor((seconds % 3600) / 60);
    const clock = `${two(hours)}:${two(minutes)}:${two(Math.floor(seconds % 60))}`;
    return days > 0 ? `${days}d ${clock}` : clock;
  };

  const tick = () => {
    const passed = countdown.dataset.stands ? 0 : (performance.now() - began) / 1000;
    const left = Math.max(0, remaining - passed);
    countdown.textContent = countdown.dataset.template.replace("{time}", written(left));
    countdown.classList.toggle("hurry", left < 60);
    if (left === 0) {
      clearInterval(ticking);
      location.reload();
    }
  };
  const ticking = setInterval(tick, 1000);
  tick();

  form.addEventListener("submit", () => {
    const button = document.getElementById("confirm");
    setTimeout(() => { button.disabled = true; }, 0);
    setTimeout(() => { button.disabled = false; }, 8000);
  });

  const look = async () => {
    const answer = await fetch(form.dataset.state, { cache: "no-store" });
    if (!answer.ok) return;
    const { status } = await answer.json();
    if (status === "TRADE_SUCCESS" || status === "TRADE_FINISHED") location.replace(form.dataset.done);
    if (status === "TRADE_CLOSED") location.reload();
  };
  setInterval(() => { look().catch(() => undefined); }, 3000);
})();
