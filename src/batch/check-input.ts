import type { z } from 'zod'
import type { Fault } from '../errors.ts'
import { textSchema } from '../core/schema/text-schema.ts'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import { inputFieldsOf, inputPartsOf } from '../upstream/call/input-parts.ts'
import type { OperationSpec } from '../upstream/spec/spec.ts'
import { writePointer } from './json-pointer.ts'
import { literalFaults, mostIssues, type IssueBudget } from './literal-faults.ts'
import type { Offered } from './offer.ts'
import { asTexts } from './prepare.ts'

/** The largest number of unknown fields that are reported for one input. */
const mostUnknown = 100

type Fields = Readonly<Record<string, unknown>>

/**
 * Checks the shape of an input, and its parts that are not references, before anything is sent.
 *
 * @param at The pointer to the input.
 * @param references The objects of the references in the input.
 * @param budget The number of issues that may still be found.
 * @returns Its faults.
 */
export function inputFaults(
  offered: Offered,
  input: unknown,
  at: string,
  references: ReadonlySet<object>,
  budget: IssueBudget = { issues: mostIssues },
): readonly Fault[] {
  const { aggregate } = offered
  // A key has any form: the operation makes the request from it.
  if (aggregate === undefined && offered.spec.keyBatch !== undefined) return []
  const fields = input === undefined ? {} : input
  if (!isFields(fields) || references.has(fields))
    return [{ pointer: at, reason: 'must be an object with the fields of the input, some of which may be references' }]
  return aggregate === undefined
    ? operationFaults(offered.spec, fields, at, references, budget)
    : aggregateFaults(aggregate, fields, at, references, budget)
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function operationFaults(
  spec: OperationSpec,
  input: Fields,
  at: string,
  references: ReadonlySet<object>,
  budget: IssueBudget,
): readonly Fault[] {
  const faults: Fault[] = []
  const known = inputFieldsOf(spec)
  if (known !== undefined) addUnknown(input, known, at, faults)
  for (const { schema, field, pick } of inputPartsOf(spec)) {
    const value = field === undefined ? pick(input) : Object.hasOwn(input, field) ? input[field] : undefined
    // A call without headers may have a schema that needs some.
    const given = value === undefined && field === 'headers' && schema._zod.optin === undefined ? {} : value
    const place = field === undefined ? at : `${at}/${field}`
    faults.push(...literalFaults(schema, given, place, within(given, references), budget))
  }
  return faults
}

const parts = ['params', 'query', 'body'] as const

function aggregateFaults(
  { route }: AnyAggregate,
  input: Fields,
  at: string,
  references: ReadonlySet<object>,
  budget: IssueBudget,
): readonly Fault[] {
  const faults: Fault[] = []
  addUnknown(input, new Set(parts), at, faults)
  for (const part of parts) {
    const schema: z.ZodType | undefined = route[part]
    const value = Object.hasOwn(input, part) ? input[part] : part === 'body' ? undefined : {}
    const pointer = `${at}/${part}`
    if (schema === undefined) {
      if (Object.hasOwn(input, part))
        faults.push({ pointer, reason: `is not read: the aggregate has no schema of ${part}` })
    } else if (part === 'body') faults.push(...literalFaults(schema, value, pointer, within(value, references), budget))
    else if (!isFields(value) || references.has(value))
      faults.push({ pointer, reason: 'must be an object with a field for each name' })
    else {
      const texts = asTexts(value)
      faults.push(...literalFaults(textSchema(schema), texts, pointer, within(texts, references), budget))
    }
  }
  return faults
}

function addUnknown(input: Fields, known: ReadonlySet<string>, at: string, faults: Fault[]): void {
  const unknown = Object.keys(input).filter(name => !known.has(name))
  const names = [...known].join(', ')
  const reason = `is not a field of this input${names === '' ? ', which has no fields' : `: it has ${names}`}`
  for (const name of unknown.slice(0, mostUnknown)) faults.push({ pointer: at + writePointer([name]), reason })
}

/** Returns the references within a value. */
function within(value: unknown, references: ReadonlySet<object>, found = new Set<object>()): ReadonlySet<object> {
  if (references.size === 0 || typeof value !== 'object' || value === null) return found
  if (references.has(value)) found.add(value)
  else for (const item of Object.values(value) as unknown[]) within(item, references, found)
  return found
}
