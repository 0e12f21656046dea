import { availableParallelism } from 'node:os'
import { suggest } from '../core/suggest.ts'
import { openCatalogue, type OpenCatalogue } from '../definitions/catalogue.ts'
import { startFolder } from '../definitions/start-folder.ts'
import type { Explainer, Question } from '../explain/explainer.ts'
import { explanationText, listText } from '../explain/explanation-text.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { printableLines } from '../log/printable.ts'
import { Redaction } from '../log/redaction.ts'
import type { Command } from './command.ts'
import { fieldOptions, fieldValues } from './field-options.ts'
import { findAggregate } from './find-aggregate.ts'
import { environment, exitCodes } from './help.ts'
import { outputToStderr } from './output-to-stderr.ts'
import { checkPaths, readArguments } from './read-arguments.ts'
import { fieldsHelp } from './run/input-fields.ts'
import { printFailure } from './run/print-failure.ts'
import { readInput } from './run/read-input.ts'
import { parseArgument } from './run/read-json-file.ts'
import { readDeadline } from './run/read-options.ts'
import { writeOutput } from './run/write-output.ts'
import { UsageError } from './usage-error.ts'

const help = `headwaters: shows what a run of an aggregate would send, and the limits that apply

Usage: headwaters explain [NAME] [files or folders...] [--FIELD value...] [options]

Sends nothing. Calls the function of each step once, and does not call context(), next() of pages and the merge. A value
that only a run would have is shown in braces: {found[*].id}. A field that is required and missing is shown in braces
too. Secrets are never shown.

Each field of the aggregate's params and query is an option, as for 'headwaters run'. Without NAME, lists the built-in
aggregates and their fields. A field in brackets is optional.

Options
  --body JSON             the request body; @FILE reads a file, @- reads stdin
  --header 'name: value'  a request header; may be repeated
  --deadline MS           a shorter deadline than that of the aggregate, in ms
  --value STEP=JSON       the value of a step, for the steps after it; may be repeated
  --json                  prints the explanation as one JSON document
  --help                  prints this text; also -h

${environment}
${exitCodes}`

const options = {
  body: { type: 'string' },
  header: { type: 'string', multiple: true, default: [] as string[] },
  deadline: { type: 'string' },
  value: { type: 'string', multiple: true, default: [] as string[] },
  json: { type: 'boolean', default: false },
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
    const { body, header, deadline, value, json, help: isHelp } = values
    if (name === undefined && isHelp) {
      process.stdout.write(help)
      return 0
    }
    checkPaths('explain', paths)
    const within = readDeadline(deadline)
    const catalogue = await outputToStderr(() => openCatalogue({ paths, live: true, environment: process.env }))
    try {
      const explainer = await outputToStderr(() => explainerFor(catalogue))
      if (name === undefined) {
        const aggregates = explainer.list()
        writeOutput(json ? `${JSON.stringify({ aggregates }, null, 2)}\n` : listText(aggregates))
        return 0
      }
      const aggregate = findAggregate(catalogue, name)
      if (isHelp) {
        process.stdout.write(help + fieldsHelp(aggregate))
        return 0
      }
      const given = fieldValues(fields, values)
      const input = readInput(aggregate, { fields: given, body, headers: header, folder: startFolder })
      return await print(explainer, name, { input, deadline: within, values: readValues(aggregate, value) }, json)
    } finally {
      await catalogue.close()
    }
  },
}

async function print(explainer: Explainer, name: string, question: Question, json: boolean): Promise<number> {
  try {
    const explanation = await outputToStderr(() => explainer.explain(name, question))
    writeOutput(json ? `${JSON.stringify(explanation, null, 2)}\n` : printableLines(explanationText(explanation)))
    return 0
  } catch (error) {
    return printFailure(error, json)
  }
}

/** Returns the explainer of a catalogue, with the share of one worker if the environment asks for several. */
async function explainerFor(catalogue: OpenCatalogue): Promise<Explainer> {
  const [{ explainerOf }, { checkWorkers, planWorkers }] = await Promise.all([
    import('../server/process/explanations.ts'),
    import('../server/cluster/plan-workers.ts'),
  ])
  const { config, secrets } = catalogue
  const { workers = 1, inbound, admin } = config
  const count = workers === 'auto' ? planWorkers(catalogue, availableParallelism()).workers : workers
  checkWorkers(catalogue, count)
  const keys = [...inbound.keys, ...(admin.key === undefined ? [] : [admin.key])]
  return explainerOf(catalogue, {
    partition: count === 1 ? undefined : { index: 0, count },
    hide: new Redaction([...secrets, ...keys]).hide,
    showsMessages: true,
  })
}

/** Reads each `--value STEP=JSON`. Throws a `UsageError` for another form, another step and a text that is not JSON. */
function readValues({ name, steps }: AnyAggregate, given: readonly string[]): Record<string, unknown> {
  const names = steps.map(step => step.name)
  return Object.fromEntries(
    given.map(text => {
      const end = text.indexOf('=')
      if (end === -1)
        throw new UsageError(
          `--value must be STEP=JSON, for example --value '${names[0] ?? 'found'}=[1]', got '${text}'`,
        )
      const step = text.slice(0, end)
      if (!names.includes(step))
        throw new UsageError(
          `--value: aggregate '${name}' has no step '${step}'${suggest(step, names) || `: use ${names.join(', ')}`}`,
        )
      return [step, parseArgument(`--value ${step}`, text.slice(end + 1))]
    }),
  )
}
