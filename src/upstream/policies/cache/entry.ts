import type { ResponseHeaders } from '../../spec/answer.ts'

/**
 * One kept answer. In a store of bodies all of it is plain JSON, so that the store may be somewhere else. Times are in
 * ms.
 */
export interface Entry extends Freshness {
  readonly status: number
  /** The headers it came with; in a store of values those alone that say how long it may be kept. */
  readonly head: ResponseHeaders
  /**
   * In a store of values the bytes of memory that the entry holds, in a store of bodies the length of its decoded body.
   */
  readonly bytes: number
  /** When it was asked for and when it was here, since 1970. */
  readonly requestedAt: number
  readonly receivedAt: number
  /** Its body, in a store of bodies: text of JSON, and base64 where the operation reads text or bytes. */
  readonly body?: string
}

/** An entry, and what its operation makes of it: checked and frozen. */
export interface LookupResult {
  readonly entry: Entry
  readonly value: unknown
}

/** How long an answer may be used, in ms. */
export interface Freshness {
  /** How old it was when it was here. */
  readonly initialAge: number
  /** Up to which age it is fresh. */
  readonly lifetime: number
  /** For how long after that it may be used while it is fetched anew, and when it cannot be (RFC 5861). */
  readonly staleWhileRevalidate: number
  readonly staleIfError: number
}

/** How old an answer is now (RFC 9111, section 4.2.3). */
export function ageOf({ initialAge, receivedAt }: Entry, now: number): number {
  return initialAge + Math.max(0, now - receivedAt)
}

/** For how long it can be of use from the moment it came: fresh, stale, or to ask with whether it has changed. */
export function usefulMs({ initialAge, lifetime, staleWhileRevalidate, staleIfError, head }: Entry): number {
  const withoutAsking = Math.max(0, lifetime - initialAge) + Math.max(staleWhileRevalidate, staleIfError)
  return head['etag'] === undefined && head['last-modified'] === undefined
    ? withoutAsking
    : Math.max(withoutAsking, dayMs)
}

const dayMs = 24 * 3600 * 1000

/** The two times of a cache, in ms since 1970. */
export interface Clock {
  /** What the wall clock says, which may be set back: for what upstreams write in their headers. */
  wall(): number
  /** What never goes back: for how long something has been kept. */
  steady(): number
}

const began = performance.timeOrigin

/** This machine's clocks. */
export const machineClock: Clock = {
  wall: () => Date.now(),
  steady: () => began + performance.now(),
}
