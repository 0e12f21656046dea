import type { DashboardState } from '../model/state.ts'
import type { UpstreamState } from '../model/upstream-state.ts'

/** The selection of an upstream: the detail follows the sickest one, or the user has chosen it. */
export type Selection = 'none' | 'followed' | 'chosen'

export function selectionOf(upstream: UpstreamState, { selected, isChosen }: DashboardState): Selection {
  if (upstream !== selected) return 'none'
  return isChosen ? 'chosen' : 'followed'
}

/** Returns the hint on the button of an upstream: its origin, and what a further click does. */
export function titleOf({ info }: UpstreamState, selection: Selection): string {
  return selection === 'chosen' ? `${info.origin}\nSelect it again to follow the sickest upstream.` : info.origin
}
