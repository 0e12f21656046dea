import { findAggregate } from './find-aggregate.ts'
import { openCatalogue } from '../definitions/catalogue.ts'
import { runLocally } from './bulk/run-locally.ts'
import type { Command } from './command.ts'
import { environment, exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { checkLive, checkPaths, readCommandArguments } from './read-arguments.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: runs an aggregate for each line of a file in this process, and can go on after a crash

Usage: headwaters bulk NAME FILE|- [files or folders...] [options]

FILE has one input per line, as JSON: { "params": {}, "query": {}, "body": {} }. With -, stdin has it. The aggregate
is one of the files and folders. Without files and folders, it is one of the built-in aggregates, with demo upstreams.

The inputs and the results are stored in a folder. After Ctrl-C, kill or a crash, the same command goes on with the
items that have no results. An item that was interrupted runs again, with the same header idempotency-key.

stdout has only the results, one line of JSON per input, in the order of the inputs, when all of them are there:
  {"index":0,"status":200,"complete":true,"value":{}}
  {"index":1,"status":502,"problem":{"code":"UPSTREAM_RESET"}}
Then the run is removed from the folder. stderr has the progress.

Options
  --dir DIR        the folder of the inputs and results (default .headwaters-bulk)
  --output FILE    writes the results to a file
  --concurrency N  the number of items at the same time (default 16)
  --live           calls the public upstreams instead of the demo upstreams
  --help           prints this text; also -h

${environment}
${exitCodes}Results that are not all complete are a failure: 1.
`

const options = {
  dir: { type: 'string', default: '.headwaters-bulk' },
  output: { type: 'string' },
  concurrency: { type: 'string', default: '16' },
  live: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const read = readCommandArguments(help, args, options)
    if (read === undefined) return 0
    const { dir, output, concurrency, live } = read.values
    const [name, file, ...paths] = read.positionals
    if (name === undefined || file === undefined)
      throw new UsageError(
        'bulk needs the name of an aggregate and a file, for example: headwaters bulk cat-facts inputs.ndjson',
      )
    checkPaths('bulk', file === '-' ? paths : [file, ...paths])
    checkLive(live, paths)
    const settings = { dir, output, concurrency: readConcurrency(concurrency), file }
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live, environment: process.env }))
    try {
      return await runLocally(catalogue, findAggregate(catalogue, name), settings)
    } finally {
      await catalogue.close()
    }
  },
}

/** The largest number of items at the same time. `BULK_CONCURRENCY` has the same limit. */
const maxConcurrency = 1000

function readConcurrency(text: string): number {
  const count = Number(text)
  if (/^\d+$/.test(text) && count >= 1 && count <= maxConcurrency) return count
  throw new UsageError(`--concurrency must be an integer from 1 to ${maxConcurrency}, got '${text}'`)
}
