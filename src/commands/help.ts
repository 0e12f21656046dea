/** The end of every help text. */
export const exitCodes = `Exit codes: 0 success, 1 failure, 2 wrong arguments, input, definitions or configuration,
130 interrupted, 143 terminated during a run.
`

/** The environment variables, for help texts. */
export const environment = `Environment: HOST, PORT, LOG_LEVEL, LOG_FORMAT, DRAIN_MS, API_KEYS, RATE_LIMIT and others,
and for each upstream HEADWATERS_UPSTREAM_<NAME>_ORIGIN, _CONCURRENCY, _ATTEMPT_TIMEOUT_MS and _OFF.
See docs/options.md.
`

/** The output of `headwaters --help`. */
export const help = `headwaters: many upstreams, one answer

Usage: headwaters <command> [options]

Commands
  serve [files or folders]       serves aggregates over HTTP (the default command)
  run NAME [files or folders]    runs one aggregate here and shows how it went
  openapi [files or folders]     prints the OpenAPI document of aggregates
  load URL                       sends requests to a running service at a constant rate and shows their latency
  completion bash|zsh|fish       prints a script that completes commands, options and aggregates in a shell

Without files the commands use the built-in aggregates, with demo upstreams that run on this machine.

Options
  --live       calls the public upstreams instead of the demo upstreams
  --help       prints this; after a command, prints what that command takes
  --version    prints the version; also -v

${environment}
${exitCodes}`
