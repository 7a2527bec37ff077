// Shows the API's reference. A file of its own, as the page's policy allows no script in the page.
"use strict";

window.addEventListener("load", () => {
  window.SwaggerUIBundle({
    url: "openapi.json",
    dom_id: "#reference",
    deepLinking: true,
    displayRequestDuration: true,
    docExpansion: "none",
    // Neither asked for a badge, nor sent anywhere.
    validatorUrl: null,
    presets: [window.SwaggerUIBundle.presets.apis],
    layout: "BaseLayout",
  });
});
