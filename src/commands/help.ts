/** The end of every help text. */
export const exitCodes = `Exit codes: 0 success, 1 failure, 2 wrong arguments, input, definitions or configuration,
130 interrupted, 143 terminated during a run.
`

/** The environment variables, for help texts. */
export const environment = `Environment: HOST, PORT, LOG_LEVEL, LOG_FORMAT, DRAIN_MS, HEADWATERS_ENV, ADMIN_PORT,
ADMIN_KEY, API_KEYS, RATE_LIMIT and others,
and per upstream HEADWATERS_UPSTREAM_<NAME>_ORIGIN, _ORIGINS, _CONCURRENCY,
_ATTEMPT_TIMEOUT_MS and _OFF.
docs/options.md lists all variables.
`

/** The output of `headwaters --help`. */
export const help = `headwaters: calls many upstreams for one request and sends one reply

Usage: headwaters <command> [options]

Commands
  serve [files or folders]       serves aggregates over HTTP (the default command)
  run NAME [files or folders]    runs one aggregate in this process and shows each step
  explain NAME [files...]        shows what a run would send, and the limits that apply; sends nothing
  batch FILE [files or folders]  runs a batch of calls in this process and shows each call
  bulk NAME FILE [files...]      runs an aggregate for each line of a file, and can go on after a crash
  openapi [files or folders]     prints the OpenAPI document of aggregates
  check [files or folders]       checks definitions and environment variables, and prints the number of metric series
  load URL                       sends requests to a running service at a constant rate and shows their latency
  init [folder]                  writes a new project with an upstream, an aggregate and a test
  completion bash|zsh|fish       prints a script that completes commands, options and aggregates in a shell

Without files, the commands use the built-in aggregates, with demo upstreams that run on this machine.

Options
  --live       calls the public upstreams instead of the demo upstreams
  --help       prints this text, or after a command the help of that command; also -h
  --version    prints the version; also -v

${environment}
${exitCodes}`
