import { isIP } from 'node:net'
import { targetOf, type DialTarget } from '../connect/dial.ts'
import type { OriginSpec } from '../spec/origins-spec.ts'
import type { Endpoint } from './types.ts'

/** The limit on the endpoints of one entry, and on the SRV targets whose addresses are asked for. */
export const maxEndpoints = 256

/** An address, its port and its weight, as DNS records name them. */
export interface FoundOrigin extends DialTarget {
  readonly weight: number
}

/** Returns the endpoint of an entry that is the URL of one origin. */
export function listedEndpoint({ origin, weight }: OriginSpec): Endpoint {
  const url = new URL(origin)
  return { key: url.origin, url, target: undefined, weight, label: labelOf(targetOf(url)), isInitial: true }
}

/**
 * Returns the endpoints of an entry whose records were found. The order of the records has no effect: equal endpoints
 * become one with the sum of their weights.
 *
 * @param isInitial - True for the first answer.
 */
export function foundEndpoints(
  { origin }: OriginSpec,
  found: readonly FoundOrigin[],
  isInitial: boolean,
): readonly Endpoint[] {
  const url = new URL(origin)
  const endpoints = new Map<string, Endpoint>()
  for (const { hostname, port, weight } of found) {
    const label = labelOf({ hostname, port })
    const key = `${url.origin} ${label}`
    const sum = weight + (endpoints.get(key)?.weight ?? 0)
    endpoints.set(key, { key, url, target: { hostname, port }, weight: sum, label, isInitial })
  }
  return union([...endpoints.values()], [])
}

/**
 * Returns the endpoints of two lists of one entry, sorted. Of two with equal keys it has that of the first list. Above
 * the limit, those of the second list are left out first.
 */
export function union(some: readonly Endpoint[], others: readonly Endpoint[]): readonly Endpoint[] {
  return unique([...some.toSorted(byKey), ...others.toSorted(byKey)])
    .slice(0, maxEndpoints)
    .toSorted(byKey)
}

function byKey(one: Endpoint, other: Endpoint): number {
  return one.key < other.key ? -1 : 1
}

/** Returns the first endpoint of each key. */
export function unique(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  return [...new Map(endpoints.toReversed().map(endpoint => [endpoint.key, endpoint])).values()].toReversed()
}

/** Returns true if two lists have the same endpoints with the same weights in the same order. */
export function areSame(some: readonly Endpoint[], others: readonly Endpoint[]): boolean {
  return (
    some.length === others.length &&
    some.every(({ key, weight }, index) => key === others[index]?.key && weight === others[index].weight)
  )
}

function labelOf({ hostname, port }: DialTarget): string {
  return isIP(hostname) === 6 ? `[${hostname}]:${port}` : `${hostname}:${port}`
}
