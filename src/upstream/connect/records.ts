import { ADDRCONFIG, type LookupAddress } from 'node:dns'
import { Resolver } from 'node:dns/promises'
import { isIP } from 'node:net'
import { networkInterfaces } from 'node:os'
import { askFamilies, type CodedError, type FoundAddress } from './family-answers.ts'
import { reachableFamilies, type AddressFamily } from './reachable-families.ts'
import type { LookupEnded, Resolve } from './resolve.ts'

/** The records of a name, and the time for which they are valid, in ms. */
export interface Found<Record> {
  readonly found: readonly Record[]
  readonly ttlMs: number
}

/** The addresses of a name. */
export interface FoundAddresses extends Found<FoundAddress> {
  /** The family whose question failed while the other one was answered. Its addresses are unknown. */
  readonly failedFamily: AddressFamily | undefined
}

/** A target of SRV records. */
export interface SrvTarget {
  readonly name: string
  readonly port: number
  /** The share of the calls relative to the other targets, at least 1. */
  readonly weight: number
}

/** Asks for DNS records with their time to live. Each method rejects with an error that has a code. */
export interface Records {
  /**
   * Returns the A and AAAA records of a name. The list is not empty.
   *
   * @param isUrgent True if the addresses of one family are better than a long wait for the other one. @default false
   */
  addresses(name: string, isUrgent?: boolean): Promise<FoundAddresses>
  /**
   * Returns the A and AAAA records of an SRV target. The hosts file and search domains do not have such names.
   *
   * @param isUrgent See `addresses`. @default false
   */
  targetAddresses(name: string, isUrgent?: boolean): Promise<FoundAddresses>
  /** Returns the targets of the lowest priority; an empty list if the service is not available (target `.`). */
  srv(name: string): Promise<Found<SrvTarget>>
  /** Rejects the pending questions to DNS servers, and all later questions, with the code `ECANCELLED`. */
  cancel(): void
}

export interface RecordsOptions {
  /** The DNS servers, as `address` or `address:port`. @default those of the system */
  readonly servers?: readonly string[] | undefined
  /** Resolves the names that are not asked of a DNS server. */
  readonly resolve: Resolve
  /** True if `resolve` uses a `lookup` of the application, which then resolves every name unless `servers` are set. */
  readonly hasOwnLookup: boolean
  /** Called once at the end of each question to a DNS server. */
  readonly ended: LookupEnded
  /** Returns the addresses of this machine. @default those of the system */
  readonly interfaces?: typeof networkInterfaces
}

/** The validity of records whose time to live is unknown, in ms. Node.js reports none for `lookup` and SRV records. */
const unknownTtlMs = 5000

/** Returns true for an answer without a record: the name does not exist, or it has no record of the type. */
export function isNoRecord({ code }: Error & { readonly code?: string }): boolean {
  return code === 'ENOTFOUND' || code === 'ENODATA'
}

/**
 * Creates the questions for DNS records. DNS servers are asked for addresses, because `lookup` does not report the time
 * to live. `lookup` is used for the names that only it knows: those of the hosts file and of search domains.
 */
export function createRecords({
  servers,
  resolve,
  hasOwnLookup,
  ended,
  interfaces = networkInterfaces,
}: RecordsOptions): Records {
  let opened: Resolver | undefined
  let isCancelled = false

  function resolver(): Resolver {
    if (opened === undefined) {
      opened = new Resolver({ timeout: 1000, tries: 2 })
      if (servers !== undefined) opened.setServers(servers)
    }
    return opened
  }

  /** Reports the end of a question. */
  function timed<T>(question: Promise<T>): Promise<T> {
    const startedAt = performance.now()
    const end = (code: string) => ended(performance.now() - startedAt, code)
    question.then(
      () => end(''),
      ({ code }: CodedError) => end(code),
    )
    return question
  }

  async function askServers(name: string, isUrgent: boolean): Promise<FoundAddresses> {
    const reachable = reachableFamilies(interfaces)
    const answers = await askFamilies(resolver(), name, reachable, isUrgent)
    const failed = answers.find(({ error }) => error !== undefined && !isNoRecord(error))
    const failedFamily = failed !== undefined && reachable.includes(failed.family) ? failed.family : undefined
    const all = answers.flatMap(({ addresses }) => addresses)
    const usable = all.filter(({ family }) => reachable.includes(family))
    // The other addresses are used only if it is certain that the name has no usable one.
    const found = usable.length === 0 && failedFamily === undefined ? all : usable
    if (found.length === 0) throw (failed ?? answers[0])?.error as CodedError
    return { found, ttlMs: Math.min(...answers.map(({ ttlMs }) => ttlMs)), failedFamily }
  }

  const askLookup = (name: string) =>
    new Promise<FoundAddresses>((answered, failed) => {
      resolve(name, { family: 0, hints: ADDRCONFIG }, (error, addresses) => {
        if (error !== null) return failed(error)
        const invalid = addresses.find(({ address }) => isIP(address) === 0)
        if (invalid !== undefined) return failed(invalidAddress(name, invalid))
        const found = addresses.map(({ address }) => ({ address, family: isIP(address) as AddressFamily }))
        answered({ found, ttlMs: unknownTtlMs, failedFamily: undefined })
      })
    })

  /** Returns true if no DNS server is asked for the addresses of a name. */
  const usesLookup = (name: string) => isLocalhost(name) || (hasOwnLookup && servers === undefined)

  function refuseCancelled(): void {
    if (isCancelled) throw Object.assign(new Error('questions for DNS records were cancelled'), { code: 'ECANCELLED' })
  }

  return {
    async addresses(name, isUrgent = false) {
      refuseCancelled()
      if (usesLookup(name)) return askLookup(name)
      if (servers !== undefined) return timed(askServers(name, isUrgent))
      if (!name.includes('.')) return askLookup(name)
      try {
        return await timed(askServers(name, isUrgent))
      } catch {
        // A system lookup cannot be cancelled, and would keep the process running.
        refuseCancelled()
        return askLookup(name)
      }
    },
    async targetAddresses(name, isUrgent = false) {
      refuseCancelled()
      return usesLookup(name) ? askLookup(name) : timed(askServers(name, isUrgent))
    },
    async srv(name) {
      refuseCancelled()
      const records = await timed(resolver().resolveSrv(name))
      const lowest = Math.min(...records.map(({ priority }) => priority))
      const found = records
        // A single target with an empty name is the decision that the service is not available (RFC 2782).
        .filter(({ priority, name }) => priority === lowest && name !== '')
        .map(({ name, port, weight }) => ({ name, port, weight: Math.max(1, weight) }))
      return { found, ttlMs: unknownTtlMs }
    },
    cancel() {
      isCancelled = true
      opened?.cancel()
    },
  }
}

/** Returns true for the names that are never asked of a DNS server (RFC 6761, section 6.3). */
function isLocalhost(name: string): boolean {
  return name === 'localhost' || name.endsWith('.localhost')
}

function invalidAddress(name: string, { address }: LookupAddress): Error {
  return Object.assign(new Error(`${name} was resolved to '${address}', which is not an IP address`), {
    code: 'ERR_INVALID_IP_ADDRESS',
  })
}
