import { openCatalogue, type OpenCatalogue } from '../definitions/catalogue.ts'
import { startFolder } from '../definitions/start-folder.ts'
import { readJson } from '../core/json/parse.ts'
import { writeJson } from '../core/json/write.ts'
import type { BatchAnswer } from '../batch/result.ts'
import type { Command } from './command.ts'
import { environment, exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { checkLive, checkPaths, readCommandArguments } from './read-arguments.ts'
import { watchedBatch } from './run/batch-view.ts'
import { printFailure } from './run/print-failure.ts'
import { readJsonFile } from './run/read-json-file.ts'
import { readDeadline, readHeaders } from './run/read-options.ts'
import { watched } from './run/watched.ts'
import { writeOutput } from './run/write-output.ts'
import { runBatch, type BatchSettings } from './run-batch.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: runs a batch of calls in this process and shows each call

Usage: headwaters batch FILE|- [files or folders...] [options]

FILE has the body that POST /v1/batch takes, as JSON: { "calls": [{ "id", "operation", "input" }] }. With -, stdin has
it. The calls name operations and aggregates with 'batch: true' of the files and folders. Without files and folders,
they name those of the built-in upstreams, which are demo upstreams.

stdout has only the results, as JSON: headwaters batch calls.json | jq .results
stderr has the calls. On a terminal they are drawn while they run; otherwise each start and end of a call is a line.

Options
  --header 'name: value'  a request header, which every call receives as an inbound header; may be repeated
  --deadline MS           a shorter deadline than BATCH_DEADLINE_MS, in ms
  --json                  prints the results, or the problem, as one JSON document, and shows no calls
  --stream                prints each result when its call has ended, one per line, as callers of the service get them
  --live                  calls the public upstreams instead of the demo upstreams
  --help                  prints this text; also -h

${environment}
${exitCodes}Results that are not all 'ok' are a failure: 1.
`

const options = {
  header: { type: 'string', multiple: true, default: [] as string[] },
  deadline: { type: 'string' },
  json: { type: 'boolean', default: false },
  stream: { type: 'boolean', default: false },
  live: { type: 'boolean', default: false },
  help: { type: 'boolean', short: 'h', default: false },
} as const

export const command: Command = {
  help,
  options,
  async run(args) {
    const read = readCommandArguments(help, args, options)
    if (read === undefined) return 0
    const { header, deadline, json, stream, live } = read.values
    const [file, ...paths] = read.positionals
    if (file === undefined)
      throw new UsageError(
        'batch needs a file with the calls, for example: headwaters batch calls.json, or - for stdin',
      )
    checkPaths('batch', paths)
    if (json && stream)
      throw new UsageError('--json prints one document, and --stream prints many: remove one of these options')
    checkLive(live, paths, 'upstreams')
    const given = { headers: readHeaders(header), within: readDeadline(deadline), stream }
    const body = readJsonFile(`batch ${file}`, file, startFolder)
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live, environment: process.env }))
    try {
      return await runOnce(catalogue, body, { ...given, json, file })
    } finally {
      await catalogue.close()
    }
  },
}

async function runOnce(
  catalogue: OpenCatalogue,
  body: unknown,
  { json, file, ...settings }: BatchSettings & { readonly json: boolean; readonly file: string },
): Promise<number> {
  const { overrides, environment: variables, config } = catalogue
  if (config.inbound.batch === false)
    throw new UsageError('BATCH_MAX_CALLS is 0, which turns batches off: set another value')
  const deadline = Math.min(settings.within ?? Infinity, config.inbound.batch.deadline)
  const end = await watched(
    watchedBatch(body, deadline),
    {
      overrides,
      environment: variables,
      isQuiet: json,
      print({ text }: BatchAnswer) {
        if (!settings.stream) writeOutput(`${writeJson(readJson(text), false, 2)}\n`)
      },
    },
    context => runBatch(catalogue, body, { ...settings, within: deadline }, context),
  )
  if (end.signal !== undefined) return end.signal === 'SIGINT' ? 130 : 143
  if (end.reply !== undefined) return end.reply.complete ? 0 : 1
  return printFailure(end.error, json, file)
}
