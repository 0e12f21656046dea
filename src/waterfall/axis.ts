import type { Timeline } from './timeline.ts'

/** The time axis of a waterfall. It begins at 0, the start of the run. */
export interface Axis {
  /** The last time on the axis, in ms. */
  readonly end: number
  /** Round times between 0 and the end, in ms. */
  readonly ticks: readonly number[]
  /** The deadline, if it is on the axis, in ms. */
  readonly deadline: number | undefined
}

/** The shortest time that an axis shows, in ms. */
const shortest = 0.1
/** A deadline is on the axis if this share of the axis, or less, lies between the end of the run and the deadline. */
const near = 0.1

/**
 * Returns the axis of a run. It ends at the end of the run, or at the deadline if this is close to the end of the run.
 *
 * @param most - The largest number of ticks.
 */
export function axisOf({ end: last, deadline }: Pick<Timeline, 'end' | 'deadline'>, most: number): Axis {
  const isNear = deadline * (1 - near) <= last
  const end = Math.max(shortest, last, isNear ? deadline : 0)
  return { end, ticks: ticksOf(end, most), deadline: isNear ? deadline : undefined }
}

/** Returns the multiples of 1, 2 or 5 times a power of ten that are above 0 and below `end`, at most `most`. */
function ticksOf(end: number, most: number): number[] {
  if (most < 1) return []
  const power = 10 ** Math.floor(Math.log10(end / (most + 1)))
  const step = [1, 2, 5, 10].map(factor => factor * power).find(each => Math.ceil(end / each) - 1 <= most) ?? end
  return Array.from({ length: Math.max(0, Math.ceil(end / step) - 1) }, (_, index) => round((index + 1) * step))
}

/** Returns a number without the error of its binary form: 0.3 instead of 0.30000000000000004. */
function round(value: number): number {
  return Number(value.toPrecision(12))
}

/** Returns a time as text: `0.4 ms`, `812 ms`, `12.5 s`. */
export function timeText(ms: number): string {
  if (ms >= 10_000) return `${(ms / 1000).toFixed(1)} s`
  return `${ms < 9.95 && ms > 0 ? ms.toFixed(1) : Math.round(ms)} ms`
}

/** Returns the label of a tick: `0.5 ms`, `50 ms`, `2 s`. */
export function tickText(ms: number): string {
  return ms >= 1000 ? `${round(ms / 1000)} s` : `${round(ms)} ms`
}
