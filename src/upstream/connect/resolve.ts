import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from '../../core/public-address.ts'

/** Finds all addresses of a name; none with an error. */
export type Resolve = (
  hostname: string,
  options: LookupOptions,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

/**
 * How long an answer stands, in ms: Node has four threads for all look-ups, and a pool that opens asks once per
 * connection.
 */
const keptMs = 1000
/** How long a question is waited for before it is asked again, in ms. */
const unansweredMs = 5000

interface PendingLookup {
  readonly answer: Promise<readonly LookupAddress[]>
  until: number
}

/** Codes of a name that was not found or not looked up; other errors of a lookup are those of its author. */
const systemCode = /^E[A-Z0-9_]+$/

/**
 * Asks `lookup` once for all who want the same name at about the same time. A failure is kept as long as an answer.
 * Whatever a lookup does is an answer or a failure.
 */
export function createResolve(lookup: LookupFunction, now = () => performance.now()): Resolve {
  const asked = new Map<string, PendingLookup>()

  function ask(hostname: string, options: LookupOptions): PendingLookup {
    const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>()
    const entry: PendingLookup = { answer: promise, until: now() + unansweredMs }
    const failed = (reason: unknown) => {
      entry.until = now() + keptMs
      reject(explained(hostname, reason))
    }
    const answered = (error: unknown, address: unknown, family: unknown) => {
      // Some give undefined where Node gives null.
      if (error !== null && error !== undefined) return failed(error)
      try {
        const addresses = addressesOf(hostname, address, family)
        entry.until = now() + keptMs
        resolve(addresses)
      } catch (fault) {
        failed(fault)
      }
    }
    try {
      const returned: unknown = lookup(hostname, { ...options, all: true }, answered)
      // It may be an async function, whose failure is a rejection.
      if (returned !== undefined) Promise.resolve(returned).catch(failed)
    } catch (error) {
      failed(error)
    }
    return entry
  }

  return (hostname, options, done) => {
    const key = `${hostname} ${options.family} ${options.hints}`
    let entry = asked.get(key)
    if (entry === undefined || now() >= entry.until) asked.set(key, (entry = ask(hostname, options)))
    entry.answer.then(
      addresses => done(null, addresses),
      (error: Error) => done(error, []),
    )
  }
}

/**
 * Restricts a resolver to public addresses. One address that is not public refuses the whole answer: a name that mixes
 * both is an attack or a mistake.
 */
export function publicResolve(resolve: Resolve): Resolve {
  return (hostname, options, done) =>
    resolve(hostname, options, (error, addresses) => {
      const refused = addresses.find(({ address }) => !isPublicAddress(address))
      if (refused === undefined) return done(error, addresses)
      done(
        Object.assign(new Error(`${hostname} is at ${refused.address}, which is not public`), {
          code: 'ADDRESS_REFUSED',
        }),
        [],
      )
    })
}

function addressesOf(hostname: string, address: unknown, family: unknown): readonly LookupAddress[] {
  const addresses = Array.isArray(address) ? (address as unknown[]) : [{ address, family: family ?? 4 }]
  if (addresses.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
  return addresses.map(each => {
    const { address, family } = (each ?? {}) as Partial<LookupAddress>
    if (typeof address !== 'string')
      throw new TypeError(
        `the lookup of ${hostname} gave an address that is not a text: give callback(null, [{ address, family }])`,
      )
    return { address, family: family as number }
  })
}

function explained(hostname: string, reason: unknown): Error {
  let message = `the lookup of ${hostname} failed`
  try {
    if (reason instanceof Error) {
      if (systemCode.test(String((reason as Error & { readonly code?: unknown }).code))) return reason
      message = String(reason.message)
    }
  } catch {
    // What cannot be read stays the cause.
  }
  return Object.assign(new Error(message, { cause: reason }), { code: 'ENOTFOUND' })
}
