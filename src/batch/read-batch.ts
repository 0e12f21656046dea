import { isTooDeep, maxDepth } from '../core/schema/depth.ts'
import { Problem, type Fault } from '../errors.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { BatchCall } from './batch-call.ts'
import { Faults } from './faults.ts'
import { writePointer } from './json-pointer.ts'
import type { BatchOffer } from './offer.ts'
import { readCalls } from './read-calls.ts'

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

type Fields = Readonly<Record<string, unknown>>

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
  const faults = new Faults()
  faults.add(...found)
  const read = readBody(offer, body, options, faults)
  const { count, reported, isFull } = faults
  if (count === 0) return read
  const parts = isFull
    ? `At least ${reported.length} of the parts of the batch`
    : count === 1
      ? 'One part of the batch'
      : `${count} parts of the batch`
  throw new Problem('INPUT_INVALID', { detail: `${parts} cannot be read: see errors.`, faults: reported })
}

function readBody(offer: BatchOffer, body: unknown, options: ReadOptions, faults: Faults): ReadBatch {
  const nothing = { calls: [], deadline: undefined }
  const refuse = (pointer: string, reason: string) => {
    faults.add({ pointer, reason })
    return nothing
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    return refuse('/body', 'must be an object with the list calls')
  if (isTooDeep(body)) return refuse('/body', `is nested deeper than ${maxDepth}`)
  for (const name of Object.keys(body)) {
    if (faults.isFull) return nothing
    if (!known.has(name))
      refuse(`/body${writePointer([name])}`, 'is not a field of a batch: it has calls and deadlineMs')
  }
  const own = (name: string): unknown => (Object.hasOwn(body, name) ? (body as Fields)[name] : undefined)
  const deadline = readDeadline(own('deadlineMs'), faults)
  const calls = own('calls')
  if (!Array.isArray(calls) || calls.length === 0) return refuse('/body/calls', 'must be a list of at least one call')
  if (calls.length > options.maxCalls)
    return refuse('/body/calls', `has ${calls.length} calls, and a batch has at most ${options.maxCalls}`)
  return { calls: readCalls(offer, calls, options, faults), deadline }
}

function readDeadline(value: unknown, faults: Faults): number | undefined {
  if (value === undefined) return undefined
  if (Number.isInteger(value) && (value as number) >= 1 && (value as number) <= maxDeadline)
    return Math.max(minDeadline, value as number)
  faults.add({
    pointer: '/body/deadlineMs',
    reason: `must be a whole number of milliseconds from 1 to ${maxDeadline}`,
  })
  return undefined
}
