// Passkeys: asks the browser for one, and sends its answer as a form, with the token of the page.
(() => {
  "use strict";
  const bytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
  const text = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer)))
    .replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list ?? []).map((one) => ({ ...one, id: bytes(one.id) }));

  const forGet = (o) => ({ ...o, challenge: bytes(o.challenge), allowCredentials: named(o.allowCredentials) });
  const forCreate = (o) => ({ ...o, challenge: bytes(o.challenge), user: { ...o.user, id: bytes(o.user.id) },
    excludeCredentials: named(o.excludeCredentials) });
  const answerOf = (credential) => {
    const said = credential.response;
    const response = { clientDataJSON: text(said.clientDataJSON) };
    for (const name of ["attestationObject", "authenticatorData", "signature", "userHandle"]) {
      if (said[name]) response[name] = text(said[name]);
    }
    if (said.getTransports) response.transports = said.getTransports();
    return { id: credential.id, rawId: text(credential.rawId), type: credential.type, response,
      clientExtensionResults: credential.getClientExtensionResults() };
  };

  const use = async (button) => {
    const makes = button.dataset.passkey === "make";
    const asked = await fetch(button.dataset.options, { credentials: "same-origin" });
    if (asked.redirected || !asked.ok) { location.assign(button.dataset.instead ?? location.href); return; }
    const options = await asked.json();
    const credential = makes
      ? await navigator.credentials.create({ publicKey: forCreate(options) })
      : await navigator.credentials.get({ publicKey: forGet(options) });
    const form = button.closest("form");
    form.elements.answer.value = JSON.stringify(answerOf(credential));
    form.elements.answer.disabled = false;
    form.submit();
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-passkey]");
    if (!button) return;
    button.disabled = true;
    use(button).catch(() => {
      // Given up, or none here: the page says so, and everything else goes on.
      button.disabled = false;
      button.closest("form").querySelector("[data-passkey-says]").hidden = false;
    });
  });
  if (!window.PublicKeyCredential) {
    for (const button of document.querySelectorAll("[data-passkey]")) button.closest("form").hidden = true;
  }
})();
