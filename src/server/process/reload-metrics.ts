import * as families from '../../metrics/families.ts'
import type { Metrics } from '../../metrics/metrics.ts'

/** The values of `result` of a reload. */
export const reloadResults = ['ok', 'refused'] as const

/** The result of a reload of the definitions. */
export type ReloadResult = (typeof reloadResults)[number]

/** The metrics of reloads. */
export interface ReloadCounts {
  count(result: ReloadResult, time: Date): void
  /** Shows that the last reload is not refused any more. */
  accept(): void
}

/** Counts the reloads of a service. */
export function countReloads(metrics: Metrics): ReloadCounts {
  const reloads = metrics.table(families.reloads)
  const times = metrics.table(families.reloadTime)
  const refused = metrics.table(families.reloadRefused)
  const slots = { ok: reloads.slot('ok'), refused: reloads.slot('refused') }
  for (const result of reloadResults) reloads.show(slots[result])
  const isRefused = refused.slot()
  refused.show(isRefused)
  let last: Date | undefined
  metrics.onCollect(() => {
    if (last !== undefined) times.addRead(times.slot(), last.getTime() / 1000)
  })
  return {
    count(result, time) {
      reloads.add(slots[result], 1)
      refused.set(isRefused, result === 'refused' ? 1 : 0)
      last = time
    },
    accept: () => refused.set(isRefused, 0),
  }
}
