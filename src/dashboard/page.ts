/** The files of the page, by their path below `/dashboard/assets/`. Modules are beside `dashboard/main`. */
export const pageFiles = {
  icon: 'dashboard/icon.svg',
  styles: ['uplot.css', 'dashboard/style.css', 'dashboard/charts.css', 'dashboard/runs.css', 'dashboard/bulk.css'],
  chart: 'uplot.js',
  main: 'dashboard/main',
} as const

/**
 * Returns the HTML of the dashboard. It has no data, no script and no style of its own, as its policy demands.
 *
 * @param extension The extension of the modules: `js` for the built package, `ts` for the sources.
 */
export const page = (extension: 'js' | 'ts') => `<!doctype html>
<html lang="en" data-phase="connecting">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Headwaters dashboard</title>
<link rel="icon" type="image/svg+xml" href="dashboard/assets/${pageFiles.icon}">
${pageFiles.styles.map(file => `<link rel="stylesheet" href="dashboard/assets/${file}">`).join('\n')}
<script src="dashboard/assets/${pageFiles.chart}" defer></script>
<script type="module" src="dashboard/assets/${pageFiles.main}.${extension}" blocking="render"></script>
</head>
<body>
<a class="skip" href="#upstreams">Skip to the upstreams</a>
<a class="jump" id="skip-bulk" href="#bulk" hidden>Skip to the bulk runs</a>
<header class="top">
<h1 class="brand"><svg class="mark" viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" focusable="false">
<path d="M3 4c6 0 5 8 9 8M3 12h18M3 20c6 0 5-8 9-8"/></svg>Headwaters</h1>
<p class="link" id="connection"><span class="link-dot" aria-hidden="true"></span>
<span id="connection-text">Connecting</span></p>
<p class="service" id="service"></p>
<div class="tools">
<label class="search"><span class="unseen">Filter upstreams and aggregates</span>
<input id="filter" type="search" placeholder="Filter" autocomplete="off" spellcheck="false" aria-keyshortcuts="/">
<kbd aria-hidden="true">/</kbd></label>
<button type="button" class="tool" id="theme"></button>
<button type="button" class="tool" id="forget" hidden>Forget key</button>
</div>
</header>
<div class="banner" id="banner" hidden></div>
<noscript><div class="banner banner-plain">The dashboard needs JavaScript. Without it, read
<a href="metrics">the metrics</a> or <a href="requests">the kept runs</a>.</div></noscript>
<div class="gate" id="gate" hidden></div>
<main id="main" class="board">
<section class="summary" aria-labelledby="summary-title">
<h2 class="unseen" id="summary-title">State of the service</h2>
<div class="verdict" id="verdict"></div>
<div class="totals" id="totals"></div>
<p class="reload-refused" id="reload-refused" hidden></p>
</section>
<section class="panel upstreams" id="upstreams" aria-labelledby="upstreams-title" tabindex="-1">
<h2 id="upstreams-title">Upstreams</h2>
<div id="upstreams-body"></div>
</section>
<section class="panel detail" id="detail" aria-labelledby="detail-title">
<h2 id="detail-title">Upstream</h2>
<div id="detail-body"></div>
</section>
<section class="panel aggregates" id="aggregates" aria-labelledby="aggregates-title">
<h2 id="aggregates-title">Aggregates</h2>
<div id="aggregates-body"></div>
</section>
<section class="panel bulk" id="bulk" aria-labelledby="bulk-title" tabindex="-1" hidden>
<h2 id="bulk-title">Bulk runs</h2>
<div id="bulk-body"></div>
</section>
<section class="panel runs" id="runs" aria-labelledby="runs-title">
<h2 id="runs-title">Runs</h2>
<div id="runs-body"></div>
</section>
</main>
<div class="unseen" id="announcer" role="status"></div>
<dialog class="sheet" id="explanation" aria-labelledby="explanation-title"></dialog>
</body>
</html>
`
