import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'
import { isPublicAddress } from '../../core/public-address.ts'

/** Passes all addresses of a name to `done`; an empty list with an error. */
export type Resolve = (
  hostname: string,
  options: LookupOptions,
  done: (error: Error | null, addresses: readonly LookupAddress[]) => void,
) => void

/**
 * The time for which a result is reused, in ms. Node.js has four threads for all lookups, and a pool looks up a name
 * once per new connection.
 */
const keptMs = 1000
/** The time after which a pending lookup is started again, in ms. */
const pendingMs = 5000

/** Receives the duration of a lookup in ms, and the code of its error. The code is empty for a result. */
export type LookupEnded = (ms: number, code: string) => void

interface PendingLookup {
  readonly addresses: Promise<readonly LookupAddress[]>
  until: number
}

/**
 * The form of the code of a failed lookup. An error with another code comes from the author of the `lookup` function.
 */
const systemCode = /^E[A-Z0-9_]+$/

/**
 * Creates a resolver that shares one `lookup` among all requests for the same name at about the same time. A failure is
 * kept as long as a result. A lookup fails if it throws, or if it calls back with a value that is not a list of
 * addresses.
 *
 * @param ended Called once at the end of each lookup. @default not called
 */
export function createResolve(
  lookup: LookupFunction,
  now = () => performance.now(),
  ended: LookupEnded = () => {},
): Resolve {
  const lookups = new Map<string, PendingLookup>()

  function start(hostname: string, options: LookupOptions): PendingLookup {
    const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>()
    const startedAt = now()
    const entry: PendingLookup = { addresses: promise, until: startedAt + pendingMs }
    let isOver = false
    /** Keeps the result, and reports the end of the lookup once. */
    const end = (code: string) => {
      const at = now()
      entry.until = at + keptMs
      if (!isOver) ended(at - startedAt, code)
      isOver = true
    }
    const failed = (reason: unknown) => {
      const { error, code } = explained(hostname, reason)
      end(code)
      reject(error)
    }
    const answered = (error: unknown, address: unknown, family: unknown) => {
      // Some lookups call back with `undefined` instead of `null`.
      if (error !== null && error !== undefined) return failed(error)
      try {
        const addresses = addressesOf(hostname, address, family)
        end('')
        resolve(addresses)
      } catch (fault) {
        failed(fault)
      }
    }
    try {
      const returned: unknown = lookup(hostname, { ...options, all: true }, answered)
      // An async function fails with a rejection.
      if (returned !== undefined) Promise.resolve(returned).catch(failed)
    } catch (error) {
      failed(error)
    }
    return entry
  }

  /** Removes the oldest entries up to the first one that is still reused. */
  function removeOld(): void {
    const at = now()
    for (const [key, { until }] of lookups) {
      if (at < until) return
      lookups.delete(key)
    }
  }

  return (hostname, options, done) => {
    const key = `${hostname} ${options.family} ${options.hints}`
    let entry = lookups.get(key)
    if (entry === undefined || now() >= entry.until) {
      lookups.delete(key)
      removeOld()
      lookups.set(key, (entry = start(hostname, options)))
    }
    entry.addresses.then(
      addresses => done(null, addresses),
      (error: Error) => done(error, []),
    )
  }
}

/**
 * Restricts a resolver to public addresses. If one address is not public, the whole answer is refused, because a name
 * with both kinds is an attack or a mistake.
 */
export function publicResolve(resolve: Resolve): Resolve {
  return (hostname, options, done) =>
    resolve(hostname, options, (error, addresses) => {
      const refusal = addressRefusal(hostname, addresses)
      if (refusal === undefined) done(error, addresses)
      else done(refusal, [])
    })
}

/** Returns the error for the addresses of a name if one of them is not public; otherwise `undefined`. */
export function addressRefusal(
  hostname: string,
  addresses: readonly { readonly address: string }[],
): Error | undefined {
  const refused = addresses.find(({ address }) => !isPublicAddress(address))
  if (refused === undefined) return undefined
  return Object.assign(new Error(`${hostname} is at ${refused.address}, which is not public`), {
    code: 'ADDRESS_REFUSED',
  })
}

function addressesOf(hostname: string, address: unknown, family: unknown): readonly LookupAddress[] {
  const addresses = Array.isArray(address) ? (address as unknown[]) : [{ address, family: family ?? 4 }]
  if (addresses.length === 0) throw Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' })
  return addresses.map(each => {
    const { address, family } = (each ?? {}) as Partial<LookupAddress>
    if (typeof address !== 'string')
      throw new TypeError(
        `the lookup of ${hostname} returned an address that is not a string: use callback(null, [{ address, family }])`,
      )
    return { address, family: family as number }
  })
}

/** Returns the error of a failed lookup, and its code. */
function explained(hostname: string, reason: unknown): { readonly error: Error; readonly code: string } {
  let message = `the lookup of ${hostname} failed`
  try {
    if (reason instanceof Error) {
      const code = String((reason as Error & { readonly code?: unknown }).code)
      if (systemCode.test(code)) return { error: reason, code }
      message = String(reason.message)
    }
  } catch {
    // An error whose properties throw is used only as the cause.
  }
  const code = 'ENOTFOUND'
  return { error: Object.assign(new Error(message, { cause: reason }), { code }), code }
}
