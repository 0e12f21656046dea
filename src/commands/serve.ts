import { limitYoungGeneration } from '../server/young-generation.ts'
import type { Command } from './command.ts'
import { environment, exitCodes } from './help.ts'
import { checkLive, checkModule, readFileArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: serves aggregates over HTTP

Usage: headwaters serve [files or folders...] [options]

Serves all aggregates that the given TypeScript or JavaScript modules export. A folder stands for all .ts, .mts, .js and
.mjs files in it and below it, except node_modules, hidden folders, *.test.* and *.d.ts. The packages headwaters and zod
need not be installed. Without files, serves the built-in aggregates with demo upstreams.

Options
  --watch           reloads the definitions when one of their files changes. SIGHUP reloads them too. No request is
                    dropped. If a reload fails, the previous definitions are served
  --workers N|auto  serves with N processes that share the port; auto is one per core (default HEADWATERS_WORKERS, or
                    else 1). The limits are partitioned among them. SIGUSR2 replaces them one by one and
                    drops no request
  --otlp            sends spans to an OpenTelemetry collector, as the OTEL_* variables say. The packages of the SDK
                    must be installed
  --events FILE     passes each event of each run to the function that is the default export of the module FILE
  --live            calls the public upstreams of the built-in aggregates instead of the demo upstreams
  --help            prints this text; also -h

${environment}
${exitCodes}`

const options = {
  live: { type: 'boolean', default: false },
  workers: { type: 'string' },
  watch: { type: 'boolean', default: false },
  otlp: { type: 'boolean', default: false },
  events: { type: 'string' },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const given = readFileArguments('serve', help, args, options)
    if (given === undefined) return 0
    const { live, watch, otlp, events, workers: asked, paths } = given
    if (events !== undefined) checkModule('--events', events)
    checkLive(live, paths)
    if (watch && paths.length === 0)
      throw new UsageError('--watch needs files or folders, for example: headwaters serve aggregates/ --watch')
    const workers = asked === undefined ? undefined : readWorkers(asked)
    // The tracer is registered before the modules of the service and the definitions are loaded.
    const flushSpans = otlp ? await registerTracer() : undefined
    // The service needs less memory if this is set before its modules are loaded.
    limitYoungGeneration({ execArgv: process.execArgv, environment: process.env['NODE_OPTIONS'] })
    const { serve } = await import('../server/serve.ts')
    await serve({ paths, live, watch, workers, events, flushSpans })
    return undefined
  },
}

async function registerTracer(): Promise<() => Promise<void>> {
  const { registerOtlp } = await import('../otel/otlp/register.ts')
  return registerOtlp(process.env, message => process.emitWarning(message, 'OpenTelemetryWarning'))
}

/** The largest number of workers. `HEADWATERS_WORKERS` has the same limit. */
const maxWorkers = 1024

/** Reads the value of `--workers`. Throws a `UsageError` for an invalid value. */
function readWorkers(text: string): number | 'auto' {
  if (text === 'auto') return text
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= maxWorkers) return count
  throw new UsageError(`--workers must be an integer from 1 to ${maxWorkers}, or auto, got '${text}'`)
}
