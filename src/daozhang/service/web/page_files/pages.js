// Chooses the language, and turns the page when the order turns.
"use strict";
const STATES = { created: "confirming", waiting: "confirming", closing: "confirming",
  paid: "paid", finished: "paid", refunded: "refunded", closed: "closed" };
const TYPES = ["order.state", "order.paid", "order.paid_late", "order.closed", "order.finished",
  "order.refunded", "refund.succeeded", "refund.failed"];
const LOOK_AGAIN_MILLISECONDS = 5000;

const choices = { "zh-CN": document.getElementById("chinese"), en: document.getElementById("english") };
for (const [language, choice] of Object.entries(choices)) {
  choice.addEventListener("change", () => { document.documentElement.lang = language; });
}
if (!navigator.language.toLowerCase().startsWith("zh")) {
  choices.en.checked = true;
  document.documentElement.lang = "en";
}

const main = document.querySelector("main");
if (main.dataset.watch) {
  const source = new EventSource(main.dataset.watch);
  for (const type of TYPES) source.addEventListener(type, (message) => {
    main.dataset.state = STATES[JSON.parse(message.data).data.status] ?? main.dataset.state;
  });
  // A browser gives up for good when it is refused; then the page looks again as a whole.
  source.addEventListener("error", () => {
    if (source.readyState === EventSource.CLOSED && main.dataset.state === "confirming") {
      setTimeout(() => location.reload(), LOOK_AGAIN_MILLISECONDS);
    }
  });
}
