/** One run of a test file with exact bounds. */
export interface TimingRun {
  /** The assertions that failed, named so that they can be found in another run. */
  readonly misses: ReadonlySet<string>
  /** The 99th percentile of the delay of the control loop's timers while the file ran, in ms. */
  readonly lateMs: number
}

export type Verdict =
  | { readonly state: 'held' }
  | { readonly state: 'missed'; readonly misses: readonly string[] }
  /** The machine was noisy in every run, so that the misses say nothing. */
  | { readonly state: 'not judged'; readonly misses: readonly string[] }

/** A run counts as noisy from this lateness of the control loop on, in ms. */
export const noisyFrom = 5
/** A bound is missed when this many runs on a quiet machine miss it. */
export const quietRuns = 2
/** A file is run this often at most. */
export const mostRuns = 4

/**
 * Judges the runs of a file so far, or returns `undefined` when it must run again. A bound is held when one run holds
 * it, since a machine can make a run slower and never faster. `isLast` says that there is no time for another run.
 */
export function judge(runs: readonly TimingRun[], isLast = false): Verdict | undefined {
  const [first, ...others] = runs
  if (first === undefined) return undefined
  const misses = [...first.misses].filter(miss => others.every(run => run.misses.has(miss))).sort()
  if (misses.length === 0) return { state: 'held' }
  if (runs.filter(({ lateMs }) => lateMs < noisyFrom).length >= quietRuns) return { state: 'missed', misses }
  return isLast || runs.length >= mostRuns ? { state: 'not judged', misses } : undefined
}

/** Returns the names of the failed assertions of a TAP output: the titles around each, and its text without numbers. */
export function missesOf(tap: string): ReadonlySet<string> {
  const titles: string[] = []
  const misses = new Set<string>()
  const lines = tap.split('\n')
  for (const [index, line] of lines.entries()) {
    const [, indent = '', title] = /^( *)# Subtest: (.*)$/.exec(line) ?? []
    if (title !== undefined) {
      titles.length = indent.length / 4
      titles.push(title)
      continue
    }
    const [, depth = '', text] = /^( *)not ok \d+ - (.*)$/.exec(line) ?? []
    if (text === undefined) continue
    titles.length = Math.min(titles.length, depth.length / 4)
    // A test that fails because an assertion within it failed is no miss of its own.
    if (text.includes('# time=')) continue
    const place = /lineNumber: (\d+)/.exec(lines.slice(index + 1, index + 8).join('\n'))?.[1]
    misses.add(
      [...titles, `${text.replaceAll(/\d+(?:\.\d+)?/g, 'N')}${place === undefined ? '' : ` (line ${place})`}`].join(
        ' > ',
      ),
    )
  }
  return misses
}
