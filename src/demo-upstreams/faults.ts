import { fraction, hash } from './random.ts'
import type { DemoAnswer } from './route.ts'

/** The kinds of faults of a demo upstream. */
export const faultKinds = ['reset', 'error', 'unavailable', 'broken-json', 'wrong-shape', 'slow'] as const

/** One kind of fault. */
export type FaultKind = (typeof faultKinds)[number]

/**
 * Returns the kind of fault for the request with this number, or `undefined` if it has no fault. `rate` is the ratio of
 * faults, 0 to 1.
 */
export function fault(
  seed: number,
  number: number,
  rate: number,
  kinds: readonly FaultKind[] = faultKinds,
): FaultKind | undefined {
  if (fraction(hash(seed, 3), number) >= rate) return undefined
  return kinds[hash(hash(seed, 4), number) % kinds.length]
}

/** The answers of faults. The kinds `reset` and `slow` have no answer: they break or delay the connection. */
export const faultAnswer: Readonly<Record<Exclude<FaultKind, 'reset' | 'slow'>, DemoAnswer>> = {
  // The answer contains internal details. Tests check that the replies of the service do not contain them.
  error: {
    status: 500,
    body: { error: 'connect ECONNREFUSED 10.20.0.7:5432', stack: 'at Pool.connect (/srv/app/lib/db.js:88:13)' },
  },
  unavailable: { status: 503, headers: { 'retry-after': '1' }, body: { message: 'Service Unavailable' } },
  'broken-json': { text: '{"data": [{"fact": "Cats' },
  'wrong-shape': { body: { unexpected: true, items: null } },
}
