import { UpstreamError } from '../../errors.ts'
import { hasRoomFor } from '../../memory/room.ts'
import { runSlicedSteps, runWithinBudget } from '../../core/sliced.ts'
import type { LiveCall } from '../call/live-call.ts'
import { readBody, readInSteps } from './body.ts'
import { decode, isDecodable } from './decode.ts'
import { codingOf, unknownCoding, type ResponseHeaders } from './response-headers.ts'

/** Smaller bodies are parsed at once, in bytes. The slowest body, 64 KiB of brackets, takes 5 ms. */
const mediumBytes = 16 * 1024

/** Bodies from this size on are parsed in later turns of the event loop, in bytes. One body can take 10 ms. */
const largeBytes = 128 * 1024

/** The exchange whose body is processed. It is in the phase `decoding` until its call is settled. */
export interface BodyOwner {
  readonly call: LiveCall<unknown>
  readonly status: number
  readonly headers: ResponseHeaders
  readonly isDecoding: boolean
  resolve(value: unknown, body: Buffer): void
  /** Rejects the call because its body cannot be used. */
  bodyFailed(error: unknown): void
}

/** Decompresses and parses a complete body, and settles its exchange. Large bodies are parsed in slices. */
export function processBody(owner: BodyOwner, body: Buffer): void {
  const coding = codingOf(owner.headers)
  if (coding === undefined || body.length === 0) return parse(owner, body)
  if (!isDecodable(coding)) return owner.bodyFailed(unknownCoding(owner.call.spec, owner.status))
  decode(owner.call.spec, owner.status, coding, body, (error, decoded) => {
    if (!owner.isDecoding) return
    if (error === null) parse(owner, decoded)
    else owner.bodyFailed(error)
  })
}

/** Rejects the call because the process does not have enough memory for its response. */
export function shed(owner: BodyOwner, detail: string): void {
  owner.bodyFailed(new UpstreamError('SHED', owner.call.spec.upstream.name, { upstreamStatus: owner.status, detail }))
}

function parse(owner: BodyOwner, body: Buffer): void {
  if (body.length < mediumBytes) parseAtOnce(owner, body)
  else if (body.length < largeBytes)
    runWithinBudget(() => {
      if (owner.isDecoding) parseAtOnce(owner, body)
    })
  else parseInSlices(owner, body)
}

function parseAtOnce(owner: BodyOwner, body: Buffer): void {
  if (isShed(owner, body)) return
  let value: unknown
  try {
    value = readBody(owner.call.spec, owner.status, owner.headers, body)
  } catch (error) {
    return owner.bodyFailed(error)
  }
  owner.resolve(value, body)
}

function parseInSlices(owner: BodyOwner, body: Buffer): void {
  let steps: Generator<undefined, unknown> | undefined
  runSlicedSteps(() => {
    if (!owner.isDecoding) return false
    if (steps === undefined) {
      if (isShed(owner, body)) return false
      steps = readInSteps(owner.call.spec, owner.status, owner.headers, body)
    }
    let step: IteratorResult<undefined, unknown>
    try {
      step = steps.next()
    } catch (error) {
      owner.bodyFailed(error)
      return false
    }
    if (step.done === true) owner.resolve(step.value, body)
    return step.done !== true
  })
}

/**
 * Sheds the call if the heap has no room for its parsed body. An unsafe call may have taken effect, so its answer is
 * always parsed.
 */
function isShed(owner: BodyOwner, body: Buffer): boolean {
  if (!owner.call.spec.safe || hasRoomFor(body.length)) return false
  shed(owner, `the heap has no room for its response of ${body.length} bytes`)
  return true
}
