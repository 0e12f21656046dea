/**
 * The version of `@scalar/fastify-api-reference` whose browser bundle is served. It is part of the bundle's URL, so
 * that browsers can cache the bundle.
 */
export const bundleVersion = '1.76.3'

/**
 * Returns the page. Every URL is relative, so that it works under any prefix. The empty icon prevents the browser from
 * requesting `/favicon.ico`.
 *
 * @param title The name of the API.
 */
export const page = (title: string) => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${escaped(title)}</title>
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

/** Returns a text as the text of an HTML element. */
function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}

/**
 * Corrects the explorer. On a narrow screen, the title of the operation must not cover the button that closes the
 * client. The warning of a field that is not sent is hidden, because the client also checks the empty value of an
 * optional field.
 */
const style = `
header > span.whitespace-nowrap { min-width: 0; overflow: hidden; text-overflow: ellipsis; margin-inline-end: 36px }
tr.alert:has(> td:first-child > input:not(:checked)) { --scalar-background-alert: transparent }
tr.alert:has(> td:first-child > input:not(:checked)) button[role="alert"] { display: none }
`

/**
 * The script that starts the explorer when the bundle is loaded. It is a file, since the page's policy allows no inline
 * script. Requests go to the origin of the page: behind a proxy the document does not know its URL, and the policy
 * allows no other origin. The first line disables `eval` in the bundle's zod, which the policy does not allow either.
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
  customCss: ${JSON.stringify(style)},
}))
`
