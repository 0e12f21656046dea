/**
 * The page of the dashboard. It has no data. Every URL is relative, so that it works behind a proxy with a path. The
 * empty icon prevents the browser from requesting `/favicon.ico`.
 */
export const page = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headwaters</title>
<link rel="icon" href="data:,">
</head>
<body>
<noscript>The dashboard needs JavaScript. The metrics are at <a href="metrics">/metrics</a>.</noscript>
<script src="dashboard/assets/uplot.js"></script>
<script type="module" src="dashboard/assets/dashboard/main.js"></script>
</body>
</html>
`
