/**
 * The version of `@scalar/fastify-api-reference` whose browser bundle is served; it is in the bundle's URL, so that
 * browsers can keep it.
 */
export const bundleVersion = '1.76.3'

/** Every URL is relative, so that the page works under any prefix. The icon keeps browsers from asking for one. */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headwaters API</title>
<link rel="icon" href="data:,">
</head>
<body>
<div id="explorer"></div>
<noscript>The explorer needs JavaScript. The document it shows is <a href="openapi.json">openapi.json</a>.</noscript>
<script src="docs/explorer.js"></script>
<script src="docs/scalar-${bundleVersion}.js"></script>
</body>
</html>
`

/**
 * Starts the explorer as soon as the bundle is there; a file of its own, since the page allows no inline script.
 * Requests go to where the page is from: behind a proxy the document cannot know its place, and the page may ask no
 * other. The first line keeps the bundle's zod from trying `eval`, which the page does not allow either.
 */
export const script = `globalThis.__zod_globalConfig = { jitless: true }
addEventListener('DOMContentLoaded', () => Scalar.createApiReference('#explorer', {
  url: new URL('openapi.json', document.baseURI).href,
  servers: [{ url: new URL('.', document.baseURI).href.slice(0, -1) }],
  telemetry: false,
  withDefaultFonts: false,
  agent: { disabled: true },
  mcp: { disabled: true },
  showDeveloperTools: 'never',
  hideClientButton: true,
}))
`
