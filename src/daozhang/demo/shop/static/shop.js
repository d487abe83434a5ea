"use strict";
// An order on the page follows its own events and shows the part that fits; nothing is loaded again.
for (const order of document.querySelectorAll("[data-watch]")) {
  const stream = new EventSource(order.dataset.watch);
  const show = (message) => {
    const { status } = JSON.parse(message.data).data;
    for (const part of order.querySelectorAll("[data-when]")) {
      part.hidden = !part.dataset.when.split(" ").includes(status);
      if (part.hidden) part.querySelectorAll("iframe").forEach((frame) => frame.remove());
    }
  };
  for (const type of ["order.state", "order.paid", "order.closed", "order.refunded"])
    stream.addEventListener(type, show);
}
