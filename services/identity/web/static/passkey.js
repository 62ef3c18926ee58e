"use strict";
// Asks the browser's authenticator and sends what it says with the form. No other script runs on these pages.
const form = document.getElementById("passkey");
const bytes = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
const text = (buffer) =>
  btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");

async function ask() {
  const options = JSON.parse(form.dataset.options);
  options.challenge = bytes(options.challenge);
  for (const list of ["allowCredentials", "excludeCredentials"]) {
    options[list] = (options[list] || []).map((each) => ({ ...each, id: bytes(each.id) }));
  }
  if (options.user) options.user.id = bytes(options.user.id);
  const kind = form.dataset.kind;
  const made = await navigator.credentials[kind]({ publicKey: options });
  const response = { clientDataJSON: text(made.response.clientDataJSON) };
  if (kind === "create") {
    response.attestationObject = text(made.response.attestationObject);
  } else {
    response.authenticatorData = text(made.response.authenticatorData);
    response.signature = text(made.response.signature);
    if (made.response.userHandle) response.userHandle = text(made.response.userHandle);
  }
  const said = { id: made.id, rawId: text(made.rawId), type: made.type, response, clientExtensionResults: {} };
  form.elements.credential.value = JSON.stringify(said);
  form.submit();
}

form.querySelector("button[type=button]").addEventListener("click", () => {
  ask().catch((error) => {
    const words = document.createElement("p");
    words.className = "wrong";
    words.textContent = "The authenticator did not answer: " + error.message;
    form.append(words);
  });
});
