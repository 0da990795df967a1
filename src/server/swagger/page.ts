/** The page: Swagger UI and one script that tells it where the documents are. */
export const INDEX = `<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Porthole API</title>
<link rel="stylesheet" href="swagger-ui.css">
<link rel="icon" type="image/png" href="favicon-32x32.png" sizes="32x32">
<link rel="icon" type="image/png" href="favicon-16x16.png" sizes="16x16">
</head>
<body>
<div id="swagger-ui"></div>
<noscript>This page needs JavaScript. The documents are at /openapi/v3.</noscript>
<script src="swagger-ui-bundle.js"></script>
<script src="swagger-ui-standalone-preset.js"></script>
<script src="initializer.js"></script>
</body>
</html>
`;

/** Runs in the browser: offers every document of the index, and asks no validator on another host. */
export const INITIALIZER = `fetch('/openapi/v3')
  .then((response) => {
    if (!response.ok) throw new Error('/openapi/v3 answers ' + response.status);
    return response.json();
  })
  .then(({ paths }) => {
    const urls = Object.entries(paths)
      .filter(([name]) => /\\/v\\d/.test(name) && !name.startsWith('openid'))
      .map(([name, { serverRelativeURL }]) => ({ name, url: serverRelativeURL }));
    SwaggerUIBundle({
      urls,
      'urls.primaryName': 'api/v1',
      dom_id: '#swagger-ui',
      deepLinking: true,
      docExpansion: 'none',
      tagsSorter: 'alpha',
      defaultModelsExpandDepth: 0,
      validatorUrl: 'none',
      presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset],
      layout: 'StandaloneLayout',
    });
  })
  .catch((error) => {
    document.getElementById('swagger-ui').textContent = 'No documents: ' + error.message;
  });
`;
