import { appCase } from './app-case.ts'
import type { Child } from '../lib/child.ts'
import type { Row } from './row.ts'
import { serveCase } from './serve/case.ts'
import { twin } from './targets.ts'
import type { Kind, Target } from './targets.ts'

/** What all callers ask. */
export interface Inbound {
  readonly path: string | readonly string[]
  readonly headers?: Readonly<Record<string, string>>
}

/** One task that all targets do alike. */
export interface Case {
  readonly kinds: Readonly<Record<string, Kind>>
  /** Targets that are measured where none are named; the first is compared with each of the others. */
  readonly targets: readonly string[]
  /** Rows that are measured where none are named. */
  readonly rows: string
  readonly inbound: (fanout: number) => Inbound
  /** Throws when a target does not do the whole task. */
  readonly check: (target: Target, upstream: Child, row: Row) => Promise<void>
}

export const caseNames = ['serve', 'app'] as const
export type CaseName = (typeof caseNames)[number]

/** Returns a case; `against` is the folder of another checkout, of which `serve` has targets too. */
export function caseOf(name: CaseName, against?: string): Case {
  return name === 'serve' ? serveCase(against) : appCase
}

/** Returns what a target is. */
export function kindOf({ kinds }: Pick<Case, 'kinds'>, name: string): Kind {
  const kind = kinds[name === twin.name ? twin.of : name]
  if (kind === undefined) throw new Error(`there is no target '${name}'`)
  return kind
}
