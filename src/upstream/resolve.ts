import type { LookupAddress, LookupOptions } from 'node:dns'
import type { LookupFunction } from 'node:net'

/** Finds all addresses of a name; none with an error. */
export type Resolve = (hostname: string, options: LookupOptions, done: (error: Error | null, addresses: readonly LookupAddress[]) => void) => void

/** How long an answer stands, in ms: Node has four threads for all look-ups, and a pool that opens asks once per connection. */
const keptMs = 1000
/** How long a question is waited for before it is asked again, in ms. */
const unansweredMs = 5000

interface Asked {
  readonly answer: Promise<readonly LookupAddress[]>
  until: number
}

/** Asks `lookup` once for all who want the same name at about the same time. A failure is kept as long as an answer. */
export function createResolve (lookup: LookupFunction, now = () => performance.now()): Resolve {
  const asked = new Map<string, Asked>()

  function ask (hostname: string, options: LookupOptions): Asked {
    const { promise, resolve, reject } = Promise.withResolvers<readonly LookupAddress[]>()
    const entry: Asked = { answer: promise, until: now() + unansweredMs }
    const failed = (error: Error) => {
      entry.until = now() + keptMs
      reject(error)
    }
    try {
      lookup(hostname, { ...options, all: true }, (error, address, family = 4) => {
        const addresses = Array.isArray(address) ? address : [{ address, family }]
        if (error !== null) return failed(error)
        if (addresses.length === 0) return failed(Object.assign(new Error(`${hostname} has no address`), { code: 'ENOTFOUND' }))
        entry.until = now() + keptMs
        resolve(addresses)
      })
    } catch (error) {
      failed(error as Error)
    }
    return entry
  }

  return (hostname, options, done) => {
    const key = `${hostname} ${options.family} ${options.hints}`
    let entry = asked.get(key)
    if (entry === undefined || now() >= entry.until) asked.set(key, entry = ask(hostname, options))
    entry.answer.then(addresses => done(null, addresses), (error: Error) => done(error, []))
  }
}
