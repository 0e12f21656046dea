/** What every help text ends with. */
export const exitCodes = `Exit codes: 0 ended as asked, 1 ended by a fault, 2 wrong arguments, input, definitions or configuration,
130 interrupted, 143 terminated during a run.
`

/** How upstreams are set from outside. */
export const environment = `Environment: HOST, PORT, LOG_LEVEL, DRAIN_MS, API_KEYS, RATE_LIMIT and others, and for each upstream
HEADWATERS_UPSTREAM_<NAME>_ORIGIN, _SLOTS, _TIMEOUT_MS and _OFF. See docs/options.md.
`

/** What `headwaters --help` prints. */
export const help = `headwaters: many upstreams, one answer

Usage: headwaters <command> [options]

Commands
  serve [files or folders]       serves aggregates over HTTP (what is done without a command)
  run NAME [files or folders]    runs one aggregate here and shows how it went
  openapi [files or folders]     prints the OpenAPI document of aggregates
  load URL                       sends requests to a running service at a constant rate and shows their latency

Without files the built-in aggregates are meant, on stand-ins for the public upstreams that answer on this machine.

Options
  --live       calls the public upstreams instead of the stand-ins
  --help       prints this; after a command, prints what that command takes
  --version    prints the version

${environment}
${exitCodes}`
