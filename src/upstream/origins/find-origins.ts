import { targetOf } from '../connect/dial.ts'
import type { FoundAddress } from '../connect/family-answers.ts'
import type { AddressFamily } from '../connect/reachable-families.ts'
import { isNoRecord, type FoundAddresses, type Records, type SrvTarget } from '../connect/records.ts'
import { addressRefusal } from '../connect/resolve.ts'
import type { OriginSpec } from '../spec/origins-spec.ts'
import { foundEndpoints, maxEndpoints, union } from './endpoints.ts'
import type { Endpoint } from './types.ts'

/** The result of one round of questions about the records of an entry. */
export interface FoundEndpoints {
  /** The endpoints. Where a question failed, they are those of its last answer. */
  readonly endpoints: readonly Endpoint[]
  /** The smallest time to live of the answers, in ms; `Infinity` without an answer. */
  readonly ttlMs: number
  /** The error of a question that failed. */
  readonly error: Error | undefined
}

/** The last answers for the addresses of a name. A family without an answer is `undefined`. */
type KnownAddresses = Readonly<Record<AddressFamily, readonly FoundAddress[] | undefined>>

/** The addresses of a name after a question about it. */
interface AddressAnswer extends Omit<FoundEndpoints, 'endpoints'> {
  readonly name: string
  /** The addresses; `undefined` if there was no answer yet. */
  readonly known: KnownAddresses | undefined
}

/**
 * Creates the function that asks for the records of an entry. It never rejects. An answer that is lost removes no
 * endpoint: the addresses of a name and a family stay until their question is answered again. If SRV records name a
 * target whose question fails, the endpoints of the last round without such a target stay, because the service may have
 * moved to this target.
 */
export function findOrigins(entry: OriginSpec, records: Records, isPublic: boolean): () => Promise<FoundEndpoints> {
  const { hostname, port } = targetOf(new URL(entry.origin))
  let known: ReadonlyMap<string, KnownAddresses> = new Map()
  let endpoints: readonly Endpoint[] = []
  /** The endpoints of the last round in which the addresses of all targets were known. */
  let complete: readonly Endpoint[] = []

  async function addressesOf(name: string): Promise<AddressAnswer> {
    const before = known.get(name)
    try {
      // Calls may wait for the first answer.
      const isUrgent = before === undefined
      const answer = await (entry.srv === undefined
        ? records.addresses(name, isUrgent)
        : records.targetAddresses(name, isUrgent))
      const refusal = isPublic ? addressRefusal(name, answer.found) : undefined
      if (refusal !== undefined) throw refusal
      const { ttlMs, failedFamily } = answer
      const after = updated(before, answer)
      // A family that had no address in its last answer is not missed.
      const isMissing = failedFamily !== undefined && after[failedFamily]?.length !== 0
      const error = isMissing ? new Error(`a question for the addresses of ${name} failed`) : undefined
      return { name, known: after, ttlMs, error }
    } catch (error) {
      return { name, known: before, ttlMs: Infinity, error: error as Error }
    }
  }

  return async () => {
    try {
      const { found, ttlMs } =
        entry.srv === undefined
          ? { found: [{ name: hostname, port, weight: 1 }], ttlMs: Infinity }
          : await records.srv(entry.srv)
      if (found.length === 0) throw noTarget(entry)
      const targets = found.toSorted(byName).slice(0, maxEndpoints)
      const answers = await Promise.all([...new Set(targets.map(({ name }) => name))].map(addressesOf))
      known = new Map(answers.flatMap(answer => (answer.known === undefined ? [] : [[answer.name, answer.known]])))
      const origins = targets.flatMap(target =>
        addressesIn(known.get(target.name)).map(({ address }) => ({
          hostname: address,
          port: target.port,
          weight: target.weight * entry.weight,
        })),
      )
      const present = foundEndpoints(entry, origins, endpoints.length === 0)
      if (!answers.some(isUnknown)) {
        if (present.length > 0) endpoints = complete = present
      } else if (present.length > 0) endpoints = union(present, complete)
      return {
        endpoints,
        ttlMs: Math.min(ttlMs, ...answers.map(answer => answer.ttlMs)),
        error: answers.find(({ error }) => error !== undefined)?.error,
      }
    } catch (error) {
      return { endpoints, ttlMs: Infinity, error: error as Error }
    }
  }
}

/** Returns the addresses of a name after an answer. The family whose question failed keeps those of its last answer. */
function updated(before: KnownAddresses | undefined, { found, failedFamily }: FoundAddresses): KnownAddresses {
  const of = (family: AddressFamily) =>
    family === failedFamily ? before?.[family] : found.filter(address => address.family === family)
  return { 4: of(4), 6: of(6) }
}

function addressesIn(known: KnownAddresses | undefined): readonly FoundAddress[] {
  return [...(known?.[4] ?? []), ...(known?.[6] ?? [])]
}

/** Returns true if the question for the addresses of a name was never answered. */
function isUnknown({ known, error }: AddressAnswer): boolean {
  return known === undefined && error !== undefined && !isNoRecord(error) && !isRefused(error)
}

function isRefused({ code }: Error & { readonly code?: string }): boolean {
  return code === 'ADDRESS_REFUSED'
}

function byName(one: SrvTarget, other: SrvTarget): number {
  return Number(one.name > other.name) - Number(one.name < other.name)
}

function noTarget({ srv }: OriginSpec): Error {
  return Object.assign(new Error(`the SRV records of ${srv} have no target`), { code: 'ENODATA' })
}
