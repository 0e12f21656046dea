import { openCatalogue, type OpenCatalogue } from '../definitions/catalogue.ts'
import { startFolder } from '../definitions/start-folder.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { createTracedRun } from '../fanout/fan-out.ts'
import type { RawInput } from '../fanout/input.ts'
import type { Rehearsal } from '../fanout/rehearsal/fault.ts'
import type { Reply } from '../fanout/reply.ts'
import { writeJson } from '../core/json/write.ts'
import type { Command } from './command.ts'
import { fieldOptions, fieldValues } from './field-options.ts'
import { findAggregate } from './find-aggregate.ts'
import { fieldsHelp } from './run/input-fields.ts'
import { environment, exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { checkLive, checkPaths, readArguments } from './read-arguments.ts'
import { readInput } from './run/read-input.ts'
import { readDeadline, readRehearsal } from './run/read-options.ts'
import { printFailure } from './run/print-failure.ts'
import { streamedRun } from './streamed-run.ts'
import { UsageError } from './usage-error.ts'
import { createRunView } from './run/run-view.ts'
import { watched } from './run/watched.ts'
import { writeOutput } from './run/write-output.ts'

const help = `headwaters: runs one aggregate in this process and shows each step

Usage: headwaters run NAME [files or folders...] [--FIELD value...] [options]

Each field of the aggregate's params and query is an option, for example --count 3. A repeated option is a list.
'headwaters run NAME --help' lists the fields. Without files, NAME is a built-in aggregate (breed, cat-facts or
postcard) with demo upstreams.

stdout has only the data, as JSON: headwaters run cat-facts --count 3 | jq .
stderr has the steps. On a terminal they are drawn while they run; otherwise each start and end of a step is a line.

Options
  --body JSON             the request body; @FILE reads a file, @- reads stdin
  --header 'name: value'  a request header; may be repeated
  --fault STEP=FAULT      makes the calls of a step slow or fail: delay:MS, fail:STATUS or drop; may be repeated
  --deadline MS           a shorter deadline than that of the aggregate, in ms
  --json                  prints { data, complete, sources }, or the problem, as one JSON document, and shows no steps
  --stream                prints the events of the run as they happen, one per line, as callers of the service get them
  --live                  calls the public upstreams of the built-in aggregates instead of the demo upstreams
  --help                  prints this text; also -h

${environment}
${exitCodes}A partial reply is a success: 0.
`

const options = {
  body: { type: 'string' },
  header: { type: 'string', multiple: true, default: [] as string[] },
  fault: { type: 'string', multiple: true, default: [] as string[] },
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
    const fields = fieldOptions(args, options)
    const {
      values,
      positionals: [name, ...paths],
    } = readArguments(args, { ...fields, ...options })
    const { body, header, fault, deadline, json, stream, live, help: isHelp } = values
    if (name === undefined) {
      if (!isHelp)
        throw new UsageError('run needs the name of an aggregate, for example: headwaters run cat-facts --count 3')
      process.stdout.write(help)
      return 0
    }
    checkPaths('run', paths)
    if (json && stream)
      throw new UsageError('--json prints one document, and --stream prints many: remove one of these options')
    const within = readDeadline(deadline)
    checkLive(live, paths)
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live, environment: process.env }))
    try {
      const aggregate = findAggregate(catalogue, name)
      if (isHelp) {
        process.stdout.write(help + fieldsHelp(aggregate))
        return 0
      }
      const given = fieldValues(fields, values)
      const input = readInput(aggregate, { fields: given, body, headers: header, folder: startFolder })
      return await runOnce(catalogue, aggregate, input, {
        within,
        rehearsal: readRehearsal(aggregate, fault),
        json,
        stream,
      })
    } finally {
      await catalogue.close()
    }
  },
}

interface RunArguments {
  /** A shorter deadline, in ms. */
  readonly within: number | undefined
  readonly rehearsal: Rehearsal | undefined
  readonly json: boolean
  readonly stream: boolean
}

async function runOnce(
  { overrides, environment }: OpenCatalogue,
  aggregate: AnyAggregate,
  input: RawInput,
  { within, rehearsal, json, stream }: RunArguments,
): Promise<number> {
  const result = await watched(
    createRunView(aggregate, within),
    {
      overrides,
      environment,
      isQuiet: json,
      print(reply: Reply<unknown, string>) {
        if (stream) return
        // Data that is undefined is printed as null, as in an HTTP reply.
        const { data = null } = reply
        writeOutput(`${writeJson(json ? { ...reply, data } : data, false, 2)}\n`)
      },
    },
    async context => {
      if (stream) return streamedRun(aggregate, input, { deadline: within, rehearsal }, context)
      const { runtime, signal, onEvent } = context
      return createTracedRun(aggregate, input, { runtime, deadline: within, signal, onEvent, rehearsal }).start()
    },
  )
  if (result.signal !== undefined) return result.signal === 'SIGINT' ? 130 : 143
  if (result.reply !== undefined) return 0
  return printFailure(result.error, json)
}
