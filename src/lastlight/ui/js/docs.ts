// The page /docs: the API explorer over our own /openapi.json, without a line from a CDN.
import SwaggerUIBundle from "swagger-ui-dist/swagger-ui-es-bundle.js";

const root = document.getElementById("api-explorer");
if (root) {
  SwaggerUIBundle({
    domNode: root,
    url: root.dataset.openapi ?? "/openapi.json",
    presets: [SwaggerUIBundle.presets.apis],
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "none",
    filter: true,
    tryItOutEnabled: true,
    persistAuthorization: false,
    syntaxHighlight: { activated: false },
    validatorUrl: null,
    onComplete: () => root.querySelector("#servers")?.setAttribute("aria-label", "Server"),
  });
}
