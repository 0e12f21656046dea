import { isTooDeep, maxDepth } from '../core/schema/depth.ts'
import { Problem, type Fault } from '../errors.ts'
import type { InboundHeaders } from '../upstream/call/inbound.ts'
import type { BatchCall } from './batch-call.ts'
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
