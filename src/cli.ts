#!/usr/bin/env node
import { parseArgs } from 'node:util'
import { serve } from './server.ts'

const help = `headwaters: many upstreams, one answer

Usage: headwaters [serve] [options]

  serve      serves the built-in aggregates (the default)

Options
  --live     calls the public upstreams; without it, stand-ins on this machine answer
  --help     prints this

Environment: HOST, PORT, LOG_LEVEL, DRAIN_MS, and for each upstream
HEADWATERS_UPSTREAM_<NAME>_ORIGIN, _SLOTS, _TIMEOUT_MS and _OFF. See docs/options.md.

Exit codes: 0 ended as asked, 1 ended by a fault, 2 wrong arguments or configuration.
`

function readArguments (): { readonly live: boolean, readonly help: boolean } {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { live: { type: 'boolean', default: false }, help: { type: 'boolean', short: 'h', default: false } },
    })
    const [command = 'serve', ...others] = positionals
    if (command !== 'serve' || others.length > 0) throw new TypeError(`'${positionals.join(' ')}' is no command: there is 'serve'`)
    return values
  } catch (error) {
    process.stderr.write(`headwaters: ${(error as Error).message}\n\n${help}`)
    process.exit(2)
  }
}

const options = readArguments()
if (options.help) process.stdout.write(help)
else await serve(options)
