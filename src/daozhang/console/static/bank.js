// What is ticked on both sides, as it is ticked: in whole fen, so that no amount is rounded.
(() => {
  "use strict";
  const form = document.getElementById("bank-match");
  const said = document.getElementById("bank-sum");
  if (!form || !said) return;
  const first = said.textContent;
  const text = (minor) => {
    const digits = String(Math.abs(minor)).padStart(3, "0");
    const whole = digits.slice(0, -2).replace(/\B(?=(\d{3})+$)/g, ",");
    return `${minor < 0 ? "−" : ""}${whole}.${digits.slice(-2)}`;
  };
  const ticked = (side) => [...form.querySelectorAll(`[data-side=${side}] input:checked`)];
  const sum = (boxes) => boxes.reduce((all, box) => all + Number(box.dataset.minor), 0);
  const button = form.querySelector(".bank-bar button");
  const show = () => {
    const days = ticked("withdrawn"), lines = ticked("arrived");
    const withdrawn = sum(days), arrived = sum(lines);
    const even = days.length > 0 && withdrawn === arrived;
    button.disabled = !even;
    said.textContent = days.length + lines.length === 0 ? first
      : even ? said.dataset.even.replace("#", text(withdrawn))
      : said.dataset.uneven.replace("##", text(arrived)).replace("#", text(withdrawn));
  };
  form.addEventListener("change", show);
  addEventListener("pageshow", show);
  show();
})();
