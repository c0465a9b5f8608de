// The page /docs/<area>: the API explorer over one area of our own /openapi.json, without a line from a CDN.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";

const root = document.getElementById("api-explorer");
if (root) {
  SwaggerUIBundle({
    domNode: root,
    url: root.dataset.openapi,
    presets: [SwaggerUIBundle.presets.apis],
    displayRequestDuration: true,
    docExpansion: "list",
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    persistAuthorization: false,
    syntaxHighlight: { activated: false },
    validatorUrl: null,
    onComplete: () => {
      root.querySelector("#servers")?.setAttribute("aria-label", "Server");
      new MutationObserver(() => nameFields(root)).observe(root, { childList: true, subtree: true });
      openNamed(root);
      addEventListener("hashchange", () => openNamed(root));
    },
  });
}

/** Opens the operation that the address names: /docs/venues#the_operations_id. */
function openNamed(root: HTMLElement): void {
  const id = decodeURIComponent(location.hash.slice(1));
  const block = id && root.querySelector(`.opblock[id$="-${CSS.escape(id)}"]`);
  if (!block) return;
  if (!block.classList.contains("is-open")) block.querySelector<HTMLElement>(".opblock-summary-control")?.click();
  block.scrollIntoView();
}

/** The explorer's own fields have no names and its examples cannot be scrolled by the keyboard. */
function nameFields(root: HTMLElement): void {
  for (const field of root.querySelectorAll<HTMLElement>(":is(select, textarea, input):not([aria-label], [id])")) {
    const row = field.closest("tr")?.querySelector(".parameter__name");
    field.setAttribute("aria-label", row?.textContent?.trim() || (field.matches("textarea") ? "Body" : "Media type"));
  }
  for (const example of root.querySelectorAll<HTMLElement>("pre.example:not([tabindex])")) example.tabIndex = 0;
}
