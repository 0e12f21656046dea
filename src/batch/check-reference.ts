import type { z } from 'zod'
import { schemasAt } from '../core/schema/at-pointer.ts'
import { kindsOf, type JsonKind } from '../core/schema/json-kinds.ts'
import type { Fault } from '../errors.ts'
import { inputPartsOf } from '../upstream/call/input-parts.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import { writePointer } from './json-pointer.ts'
import type { Offered } from './offer.ts'
import type { Reference } from './reference.ts'

/**
 * Checks a reference against the schemas: the data must be able to have a value there, of a kind that the input can
 * read.
 *
 * @param producer The operation whose data has the value.
 * @param consumer The operation whose input has the reference.
 * @param at The pointer to the input.
 */
export function referenceFaults(
  { path, tokens, id }: Reference,
  producer: Offered,
  consumer: Offered,
  at: string,
): readonly Fault[] {
  const output = outputOf(producer)
  if (output === undefined) return []
  // Most references have no fault, and a path may have long names.
  const pointer = () => at + writePointer(path)
  const given = schemasAt(output, 'output', tokens)
  if (given.length === 0)
    return [
      {
        pointer: pointer(),
        reason: `points to nothing: the data of '${id}' (${producer.name}) never has a value there`,
      },
    ]
  const taken = inputKinds(consumer, path)
  const kinds = kindsOf(given, 'output')
  // A field that the input does not read takes none, and is ignored or refused as any other value.
  if (taken === undefined || taken.size === 0 || kinds === undefined || [...kinds].some(kind => taken.has(kind)))
    return []
  return [{ pointer: pointer(), reason: `gives ${listed(kinds)}, and the input takes ${listed(taken)}` }]
}

const words = {
  string: 'a text',
  number: 'a number',
  boolean: 'true or false',
  null: 'null',
  object: 'an object',
  array: 'a list',
}

function listed(kinds: ReadonlySet<JsonKind>): string {
  return kinds.size === 0 ? 'no value' : Array.from(kinds, kind => words[kind]).join(' or ')
}

/** Returns the schema of the data of a result; undefined if no schema describes it. */
function outputOf({ aggregate, spec }: Offered): z.ZodType | undefined {
  if (aggregate !== undefined) return aggregate.schema
  // Each of these gives a value of another form, or in the place of one.
  const hasForm = spec.responses !== undefined || spec.responseHeaders !== undefined || spec.keyBatch !== undefined
  return hasForm || spec.nullOn.length > 0 || spec.allowEmpty ? undefined : spec.output
}

/** Returns the kinds of values that an input takes at a place; undefined if it may take any. */
function inputKinds({ aggregate, spec }: Offered, path: readonly string[]): ReturnType<typeof kindsOf> {
  const [first, ...rest] = path
  if (first === undefined) return undefined
  // The parts in the URL are texts, and other kinds are converted.
  if (aggregate !== undefined)
    return first === 'body' && aggregate.route.body !== undefined ? kindsAt(aggregate.route.body, rest) : undefined
  return spec.keyBatch === undefined ? kindsOfOperation(spec, first, path) : undefined
}

function kindsOfOperation(spec: OperationSpec, first: string, path: readonly string[]): ReturnType<typeof kindsOf> {
  for (const { schema, field } of inputPartsOf(spec)) {
    if (field === first) return kindsAt(schema, path.slice(1))
    if (field !== undefined) continue
    const kinds = kindsAt(schema, path)
    if (kinds === undefined || kinds.size > 0) return kinds
  }
  return undefined
}

function kindsAt(schema: z.ZodType, path: readonly string[]): ReturnType<typeof kindsOf> {
  return kindsOf(schemasAt(schema, 'input', path), 'input')
}
