import type { AnyAggregate } from '../../fanout/aggregate.ts'
import type { RawInput } from '../../fanout/input.ts'
import { suggest } from '../../core/suggest.ts'
import { inputFields } from './input-fields.ts'
import { parseArgument, readJsonFile } from './read-json-file.ts'
import { readHeaders } from './read-options.ts'
import { UsageError } from '../usage-error.ts'

export interface InputArguments {
  /** The values of each `--name value`, in order. */
  readonly fields: Readonly<Record<string, readonly string[]>>
  /** JSON text, `@` followed by the path of a file, or `@-` for stdin. */
  readonly body: string | undefined
  /** Headers in the form `name:value`. */
  readonly headers: readonly string[]
  /** The folder that a relative path of the body file is resolved against. */
  readonly folder: string
}

/** Returns the input of an aggregate from arguments. Throws a `UsageError` for an invalid argument. */
export function readInput(aggregate: AnyAggregate, { fields, body, headers, folder }: InputArguments): RawInput {
  const known = inputFields(aggregate)
  const parts: Record<'params' | 'query', Record<string, unknown>> = { params: {}, query: {} }
  for (const [name, values] of Object.entries(fields)) {
    const field = known.find(each => each.name === name)
    if (field === undefined)
      throw new UsageError(
        noField(
          aggregate,
          name,
          known.map(each => each.name),
        ),
      )
    parts[field.part][name] = values.length === 1 ? values[0] : values
  }
  if (body !== undefined && aggregate.route.body === undefined)
    throw new UsageError(`aggregate '${aggregate.name}' takes no body: remove --body`)
  return { ...parts, headers: readHeaders(headers), ...(body !== undefined && { body: readBody(body, folder) }) }
}

function noField({ name: aggregate }: AnyAggregate, name: string, known: readonly string[]): string {
  const fields = known.length === 0 ? 'it has no fields' : `use ${known.map(each => `--${each}`).join(', ')}`
  return `aggregate '${aggregate}' has no field --${name}${
    suggest(
      `--${name}`,
      known.map(each => `--${each}`),
    ) || `: ${fields}`
  }`
}

function readBody(given: string, folder: string): unknown {
  if (!given.startsWith('@')) return parseArgument('--body', given)
  return readJsonFile(`--body ${given}`, given.slice(1), folder)
}
