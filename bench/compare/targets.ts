import type { ChildServer, ListeningProcess } from '../lib/child.ts'

/** A process that serves a case. A Node.js process that calls `announce` also reports its usage. */
export type Target = ListeningProcess & Partial<Pick<ChildServer, 'request'>>

/** The upstream of a target and the file of its log. */
export interface TargetEnvironment {
  readonly origin: string
  /** The file to which the target appends its log. */
  readonly log: string
}

/** The specification of a target: its label and how it is started. */
export interface TargetSpec {
  /** Name in tables and in the chart. */
  readonly label: string
  readonly start: (name: string, environment: TargetEnvironment) => Promise<Target>
  /** Returns the reason why the target cannot be started on this machine, or `undefined`. */
  readonly missing?: () => Promise<string | undefined>
  /** Returns the version of the target's compiler or server. */
  readonly version?: () => Promise<string | undefined>
}

/** A second process of one floor. The difference between the two equal targets is the noise of a run. */
export const twin = { of: 'floor-dispatch', name: 'floor-dispatch-twin' } as const

/** Pairs of processes with the same code, as numerator and denominator. Their ratio is the noise of a run. */
export const twins: readonly (readonly [of: string, to: string])[] = [
  [twin.name, twin.of],
  ['other-twin', 'other'],
]

/** Returns the names of the targets. Adds the twin if its original is one of them. */
export function withTwin(names: readonly string[]): string[] {
  return names.includes(twin.of) ? [...names, twin.name] : [...names]
}
