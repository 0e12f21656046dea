import type { ChildServer, ListeningProcess } from '../lib/child.ts'

/** A process that serves a case. A process of Node that announces itself also reports its usage. */
export type Target = ListeningProcess & Partial<Pick<ChildServer, 'request'>>

/** The upstream of a target and the file of its log. */
export interface TargetEnvironment {
  readonly origin: string
  /** A file that the log is appended to. */
  readonly log: string
}

/** The specification of a target: its label and how it is started. */
export interface TargetSpec {
  /** Name in tables and in the chart. */
  readonly label: string
  readonly start: (name: string, environment: TargetEnvironment) => Promise<Target>
  /** Returns why it cannot be started on this machine, or `undefined`. */
  readonly missing?: () => Promise<string | undefined>
  /** Returns the version of its compiler or server. */
  readonly version?: () => Promise<string | undefined>
}

/** A second process of one floor: how far two equal targets differ here today is the noise of a run. */
export const twin = { of: 'floor-dispatch', name: 'floor-dispatch-twin' } as const

/** Pairs of processes of the same code, in the order of their ratio: the noise of a run. */
export const twins: readonly (readonly [of: string, to: string])[] = [
  [twin.name, twin.of],
  ['other-twin', 'other'],
]

/** The targets with the twin of the one that has one. */
export function withTwin(names: readonly string[]): string[] {
  return names.includes(twin.of) ? [...names, twin.name] : [...names]
}
