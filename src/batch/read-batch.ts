import { isTooDeep, maxDepth } from '../core/schema/depth.ts'
import { Problem, type Fault } from '../errors.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { BatchCall, Need, Prepared } from './batch-call.ts'
import { readCall, type CallFields } from './call-fields.ts'
import { inputFaults } from './check-input.ts'
import { referenceFaults } from './check-reference.ts'
import { writePointer } from './json-pointer.ts'
import { cyclesOf } from './needs.ts'
import type { BatchOffer } from './offer.ts'
import { prepare } from './prepare.ts'

/** The body of a batch, read. */
export interface ReadBatch {
  readonly calls: readonly BatchCall[]
  /** The deadline that the caller asked for, in ms. */
  readonly deadline: number | undefined
}

/** The limits on the body, and what the checks of its calls need. */
export interface ReadOptions {
  readonly maxCalls: number
  readonly isReadOnly?: boolean | undefined
  readonly headers: InboundHeaders
}

/** The largest number of faults that are reported. A longer list is not useful. */
const mostFaults = 100

/** The limits on `deadlineMs`. A batch that ends before its upstreams can reply costs them one connection per call. */
const [minDeadline, maxDeadline] = [10, 999_999_999]

const known = new Set(['calls', 'deadlineMs'])

/**
 * Reads the body of a batch.
 *
 * @param found The faults of other parts of the request.
 * @throws Problem `INPUT_INVALID` with all faults
 */
export function readBatch(
  offer: BatchOffer,
  body: unknown,
  options: ReadOptions,
  found: readonly Fault[] = [],
): ReadBatch {
  const faults = [...found]
  const read = readBody(offer, body, options, faults)
  if (faults.length === 0) return read
  throw new Problem('INPUT_INVALID', {
    detail:
      `${faults.length === 1 ? 'One part of the batch' : `${faults.length} parts of the batch`} ` +
      'cannot be read: see errors.',
    faults: faults.slice(0, mostFaults),
  })
}

function readBody(offer: BatchOffer, body: unknown, options: ReadOptions, faults: Fault[]): ReadBatch {
  const nothing = { calls: [], deadline: undefined }
  const refuse = (pointer: string, reason: string) => {
    faults.push({ pointer, reason })
    return nothing
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return refuse('/body', 'must be an object with the list calls')
  if (isTooDeep(body)) return refuse('/body', `is nested deeper than ${maxDepth}`)
  const fields = new Map<string, unknown>(Object.entries(body))
  for (const name of fields.keys())
    if (!known.has(name))
      refuse(`/body${writePointer([name])}`, 'is not a field of a batch: it has calls and deadlineMs')
  const deadline = readDeadline(fields.get('deadlineMs'), faults)
  const calls = fields.get('calls')
  if (!Array.isArray(calls) || calls.length === 0) return refuse('/body/calls', 'must be a list of at least one call')
  if (calls.length > options.maxCalls)
    return refuse('/body/calls', `has ${calls.length} calls, and a batch has at most ${options.maxCalls}`)
  return { calls: readCalls(offer, calls, options, faults), deadline }
}

function readDeadline(value: unknown, faults: Fault[]): number | undefined {
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxDeadline)
    return Math.max(minDeadline, value as number)
  faults.push({
    pointer: '/body/deadlineMs',
    reason: `must be a whole number of milliseconds from 1 to ${maxDeadline}`,
  })
  return undefined
}

function readCalls(
  offer: BatchOffer,
  calls: readonly unknown[],
  { headers, isReadOnly = false }: ReadOptions,
  faults: Fault[],
): BatchCall[] {
  const read = calls.map((call, index) => readCall(call, `/body/calls/${index}`, offer, isReadOnly, faults))
  const indexes = new Map<string, number>()
  for (const [index, { id, at }] of read.entries()) {
    if (id === undefined) continue
    const first = indexes.get(id)
    if (first === undefined) indexes.set(id, index)
    else
      faults.push({ pointer: `${at}/id`, reason: `is also the id of call ${first}: give each call an id of its own` })
  }
  const needs = read.map(call => needsOf(call, indexes, read, faults))
  for (const cycle of cyclesOf(needs.map(own => own.map(({ index }) => index)))) {
    const [first = 0] = cycle
    const path = [...cycle, first].map(index => (read[index] as { readonly id: string }).id).join(' → ')
    faults.push({ pointer: `/body/calls/${first}`, reason: `needs itself: ${path}` })
  }
  const dependents = read.map((): number[] => [])
  for (const [index, own] of needs.entries()) for (const need of own) (dependents[need.index] as number[]).push(index)

  const before = faults.length
  const checked: BatchCall[] = []
  for (const [index, call] of read.entries()) {
    const { at, id = '', offered, input, references, unknowns } = call
    if (offered === undefined) continue
    const pointer = `${at}/input`
    const own = [...inputFaults(offered, input, pointer, unknowns)]
    for (const reference of references) {
      const producer = read[indexes.get(reference.id) ?? -1]?.offered
      if (producer !== undefined) own.push(...referenceFaults(reference, producer, offered, pointer))
    }
    let prepared: Prepared | undefined
    if (own.length === 0 && unknowns.size === 0) {
      try {
        const made = prepare(offered, input, headers, pointer)
        if ('offered' in made) prepared = made
        else own.push(...made)
      } catch {
        // A function of the author has failed. The call fails when it is made again, and the others are not affected.
      }
    }
    faults.push(...own)
    checked.push({
      index,
      id,
      offered,
      needs: needs[index] as readonly Need[],
      dependents: dependents[index] as readonly number[],
      input,
      references,
      prepared,
    })
  }
  return faults.length === before ? checked : []
}

/** Returns the needs of a call: those that it names, and the calls to which it refers. */
function needsOf(
  { at, needs, references }: CallFields,
  indexes: ReadonlyMap<string, number>,
  calls: readonly { readonly isOptional: boolean }[],
  faults: Fault[],
): Need[] {
  const found = new Map<number, Need>()
  for (const [place, id] of needs.entries()) {
    const index = indexes.get(id)
    if (index === undefined)
      faults.push({ pointer: `${at}/needs/${place}`, reason: 'is not the id of a call of this batch' })
    else found.set(index, { index, isOrderOnly: (calls[index] as { readonly isOptional: boolean }).isOptional })
  }
  for (const { id, path } of references) {
    const index = indexes.get(id)
    if (index === undefined)
      faults.push({
        pointer: `${at}/input${writePointer(path)}`,
        reason: 'refers to an id that no call of this batch has',
      })
    else found.set(index, { index, isOrderOnly: false })
  }
  return [...found.values()]
}
