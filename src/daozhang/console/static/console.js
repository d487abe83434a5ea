// What pages do beyond links and forms: keys, menus, sheets, copying, and what changes by itself.
// Every page can be read without this. Nothing here is evaluated from text.
(() => {
  "use strict";
  const base = document.body.dataset.base ?? "";

  // The reader's time zone, so that the server can write times in it.
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const kept = document.cookie.split("; ").find((one) => one.startsWith("daozhang_zone="));
  if (zone && kept !== `daozhang_zone=${zone}`) {
    document.cookie = `daozhang_zone=${zone}; path=${base || "/"}; max-age=31536000; samesite=lax`;
  }

  // ---- forms and requests
  document.addEventListener("htmx:configRequest", (event) => {
    event.detail.headers["X-CSRF"] = document.querySelector("meta[name=csrf]").content;
  });
  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-submit]")) event.target.form.requestSubmit();
  });
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method === "get") {
      // Empty fields would only make the address long.
      for (const field of form.elements) if (field.name && !field.value) field.disabled = true;
    } else if (form.dataset.sent) {
      event.preventDefault(); // a second click sends nothing twice
    } else if (!("again" in form.dataset)) { // but a file can be taken twice
      form.dataset.sent = "yes";
    }
  });
  addEventListener("pageshow", () => {
    for (const form of document.forms) {
      delete form.dataset.sent;
      for (const field of form.elements) if (form.method === "get") field.disabled = false;
    }
  });

  // ---- menus, sheets, copying
  document.addEventListener("click", (event) => {
    for (const menu of document.querySelectorAll("details.menu[open]")) {
      if (!menu.contains(event.target)) menu.open = false;
    }
    const opener = event.target.closest("[data-open]");
    if (opener) document.getElementById(opener.dataset.open).showModal();
    if (event.target.closest("[data-close]")) event.target.closest("dialog").close();
    const copier = event.target.closest("[data-copy]");
    if (copier) {
      navigator.clipboard.writeText(copier.dataset.copy).then(() => {
        copier.classList.add("copied");
        setTimeout(() => copier.classList.remove("copied"), 1200);
      });
    }
    const row = event.target.closest("tr[data-row]");
    if (row && !event.target.closest("a, button, input") && !String(getSelection())) {
      row.querySelector("a.row-link").click();
    }
  });

  // A form that was refused stands open in its page, to be read without this; here it is a sheet again.
  for (const dialog of document.querySelectorAll("dialog[data-shown]")) { dialog.close(); dialog.showModal(); }

  // ---- keys
  let waitingForPlace = 0;
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape") {
      for (const menu of document.querySelectorAll("details.menu[open]")) menu.open = false;
      if (event.target.matches("input[type=search]")) event.target.blur();
      return;
    }
    if (event.target.closest("input, textarea, select, dialog[open]")) return;
    if (event.timeStamp < waitingForPlace) {
      waitingForPlace = 0;
      document.querySelector(`[data-go="${CSS.escape(event.key)}"]`)?.click();
    } else if (event.key === "g") {
      waitingForPlace = event.timeStamp + 1500;
    } else if (event.key === "/") {
      document.querySelector("[data-key='/']")?.focus();
    } else if (event.key === "?") {
      document.getElementById("keys")?.showModal();
    } else if (event.key === "j" || event.key === "k") {
      const links = [...document.querySelectorAll("a.row-link")];
      const at = links.indexOf(document.activeElement);
      links[Math.max(0, Math.min(links.length - 1, at + (event.key === "j" ? 1 : -1)))]?.focus();
    } else {
      return;
    }
    event.preventDefault();
  });

  // ---- what changes by itself: <div id="x" data-live="order refund" hx-get=… hx-trigger="live">
  const from = document.body.dataset.liveFrom;
  if (!from || !("EventSource" in window)) return;
  const state = document.querySelector("[data-live-state]");
  const show = (name) => { if (state) { state.hidden = false; state.dataset.liveState = name; } };
  const parts = (topic) => [...document.querySelectorAll("[data-live]")].filter(
    (part) => topic === "" || part.dataset.live.split(" ").includes(topic));
  const waiting = new Map();

  const isBusy = (part) => part.querySelector("dialog[open], details[open]") ||
    (part.contains(document.activeElement) && document.activeElement.matches("input, select, textarea"));
  const refresh = (part) => {
    if (waiting.has(part.id)) return; // one after another, however much happens
    waiting.set(part.id, setTimeout(() => {
      waiting.delete(part.id);
      const now = document.getElementById(part.id);
      if (!now) return;
      if (isBusy(now)) refresh(now); // nothing is taken from under a person's hands
      else htmx.trigger(now, "live");
    }, 250));
  };
  // Rows that a refresh has changed are marked for a moment: no amount jumps unseen. A refresh soon
  // after the first draws the row anew: the mark goes on from where it was.
  const known = new Map();
  const changedAt = new Map();
  const rows = () => document.querySelectorAll("[data-row][data-stamp]");
  for (const row of rows()) known.set(row.dataset.row, row.dataset.stamp);
  document.addEventListener("htmx:afterSettle", () => { // told of what is new; htmx:afterSwap of what is gone
    const now = performance.now();
    for (const row of rows()) {
      const { row: key, stamp } = row.dataset;
      if (known.get(key) !== stamp) changedAt.set(key, now);
      known.set(key, stamp);
      if (!changedAt.has(key)) continue;
      row.style.animationDelay = `${changedAt.get(key) - now}ms`;
      row.classList.add("fresh");
    }
  });

  let source;
  let missed = false;
  const listen = () => {
    source = new EventSource(from);
    source.addEventListener("open", () => {
      show("on");
      if (missed) parts("").forEach(refresh);
      missed = false;
    });
    source.addEventListener("error", () => { show("off"); missed = true; });
    source.addEventListener("change", (event) => {
      const said = JSON.parse(event.data);
      parts(said.topic).forEach(refresh);
      document.dispatchEvent(new CustomEvent("console:change", { detail: said }));
    });
  };
  listen();
  // A browser allows few streams to one host: a tab that nobody sees needs none.
  document.addEventListener("visibilitychange", () => {
    if (document.hidden) { source.close(); missed = true; }
    else if (source.readyState === EventSource.CLOSED) listen();
  });
  addEventListener("pagehide", () => source.close());
})();
