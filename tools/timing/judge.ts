/** One run of a test file with exact bounds. */
export interface TimingRun {
  /** The assertions that failed, named so that they can be found in another run. */
  readonly misses: ReadonlySet<string>
  /** True if every assertion was evaluated: no test of the file was cut by an error, a timeout or the end of the process. */
  readonly isWhole: boolean
  /** The 99th percentile of the delay of the control loop's timers while the file ran, in ms. */
  readonly lateMs: number
  /** The time of the reference computation beside the file, in ms; the longer of that before it and that after it. */
  readonly referenceMs: number
}

export type Verdict =
  | { readonly state: 'held' }
  | { readonly state: 'missed'; readonly misses: readonly string[] }
  /** The machine was noisy or slow in every whole run, so that the misses say nothing. */
  | { readonly state: 'not judged'; readonly misses: readonly string[] }

/** A run counts as noisy from this lateness of the control loop on, in ms. */
export const noisyFrom = 5
/** A run counts as noisy from this time of the reference computation on, in ms. The bounds were written at 10 to 12. */
export const slowFrom = 14
/** A bound is missed when this many runs on a quiet machine miss it; one is enough when no other run follows. */
export const quietRuns = 2
/** A file is run this often at most. */
export const mostRuns = 4

/**
 * Judges the runs of a file so far, or returns `undefined` when it must run again. A bound is held when one whole run
 * holds it, since a machine can make a run slower and never faster. A file without a whole run is missed. `isLast` says
 * that there is no time for another run.
 */
export function judge(runs: readonly TimingRun[], isLast = false): Verdict | undefined {
  if (runs.length === 0) return undefined
  const whole = runs.filter(run => run.isWhole)
  const misses = [...new Set(runs.flatMap(run => [...run.misses]))]
    .filter(miss => whole.every(run => run.misses.has(miss)))
    .sort()
  if (whole.length > 0 && misses.length === 0) return { state: 'held' }
  const quiet = whole.filter(({ lateMs, referenceMs }) => lateMs < noisyFrom && referenceMs < slowFrom).length
  if (quiet >= quietRuns) return { state: 'missed', misses }
  if (!isLast && runs.length < mostRuns) return undefined
  return { state: quiet > 0 || whole.length === 0 ? 'missed' : 'not judged', misses }
}

/** The lines that tap writes for a test that it ended itself, and for an error that a test did not catch. */
const cutTest = /^ *(?:not ok \d+ - (?:timeout!|test unfinished|child test left in queue)|tapCaught: |Bail out!)/m

/**
 * Returns true if every assertion of a test file was evaluated.
 *
 * @param tap - Its TAP output.
 * @param code - The exit code of its process, or `null` if a signal ended it.
 */
export function isWhole(tap: string, code: number | null): boolean {
  if (code === null || !/^1\.\.(?!0 # no tests found)/m.test(tap) || cutTest.test(tap)) return false
  return code === 0 || missesOf(tap).size > 0
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
