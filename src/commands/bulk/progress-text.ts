import type { ResultCounts } from '../../bulk/result-chunk.ts'
import type { TerminalCapabilities } from '../run/terminal-capabilities.ts'

/** The progress of a run. */
export interface Progress {
  /** The number of items. */
  readonly items: number
  /** The results before this start of the command. */
  readonly earlier: ResultCounts
  readonly counts: ResultCounts
  /** The time since the start, in ms. */
  readonly ms: number
}

const total = ({ succeeded, partial, failed }: ResultCounts) => succeeded + partial + failed

/** Returns the progress as words, such as `300 of 1000 items, 150 items/s, 2 failed, 5 s left`. */
export function progressLine({ items, earlier, counts, ms }: Progress): string {
  const done = total(counts)
  const perSecond = ((done - total(earlier)) * 1000) / Math.max(1, ms)
  const left = done < items && perSecond > 0 ? [`${timeText((items - done) / perSecond)} left`] : []
  return [
    `${done} of ${items} items`,
    `${perSecond < 10 ? perSecond.toFixed(1) : Math.round(perSecond)} items/s`,
    ...(counts.partial > 0 ? [`${counts.partial} partial`] : []),
    `${counts.failed} failed`,
    ...left,
  ].join(', ')
}

/** The columns of a bar. */
const barColumns = 30

/** Returns a bar with the progress as words, for a terminal of this width. */
export function barLine(progress: Progress, columns: number, { unicode }: TerminalCapabilities): string {
  const full = Math.floor((barColumns * total(progress.counts)) / progress.items)
  const [done, open] = unicode ? ['█', '░'] : ['#', '.']
  const line = `${done.repeat(full)}${open.repeat(barColumns - full)} ${progressLine(progress)}`
  return line.slice(0, Math.max(1, columns - 1))
}

/** Returns a time in its largest units: `40 s`, `3 min 20 s`, `2 h 5 min`. */
function timeText(seconds: number): string {
  const whole = Math.ceil(seconds)
  if (whole < 60) return `${whole} s`
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${whole % 60} s`
  return `${Math.floor(whole / 3600)} h ${Math.floor((whole % 3600) / 60)} min`
}
