import { startChild } from './child.ts'
import type { Child, Listening } from './child.ts'
import { goMissing, startGo } from './peers/go.ts'

/** A process that serves `/?n=5`; one of Node can be asked what it used. */
export type Target = Listening & Partial<Pick<Child, 'ask'>>

interface Kind {
  /** What tables and the chart call it. */
  readonly label: string
  readonly start: (name: string, origin: string) => Promise<Target>
  /** Why it cannot be started on this machine. */
  readonly missing?: () => Promise<string | undefined>
}

const ofNode = (file: string) => (name: string, origin: string) => startChild(name, file, [origin], 1)

/** All that is compared, by name. */
export const kinds: Readonly<Record<string, Kind>> = {
  'service': { label: 'Headwaters', start: ofNode('service') },
  'service-trusted': { label: 'Headwaters, pipelining', start: (name, origin) => startChild(name, 'service', [origin, '10'], 1) },
  'floor-request': { label: 'Pool.request', start: ofNode('peers/floor-request') },
  'floor-dispatch': { label: 'pool.dispatch', start: ofNode('peers/floor-dispatch') },
  'fetch-zod': { label: 'Fastify + fetch + zod', start: ofNode('peers/fetch-zod') },
  'go': { label: 'Go net/http', start: startGo, missing: goMissing },
}

/** A second process of one floor: how far two equal targets differ here today is the noise of a run. */
export const twin = { of: 'floor-dispatch', name: 'floor-dispatch-twin' } as const

/** What a target is. */
export function kindOf (name: string): Kind {
  const kind = kinds[name === twin.name ? twin.of : name]
  if (kind === undefined) throw new Error(`there is no target '${name}'`)
  return kind
}

/** The targets with the twin of the one that has one. */
export function withTwin (names: readonly string[]): string[] {
  return names.includes(twin.of) ? [...names, twin.name] : [...names]
}
