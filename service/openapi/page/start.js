// A file of its own, because the page's policy forbids inline scripts.
SwaggerUIBundle({
  url: "openapi.json",
  dom_id: "#page",
  layout: "BaseLayout",
  deepLinking: true,
  tryItOutEnabled: true,
  validatorUrl: null, // else the document's address is sent to a validator on the Internet
});
