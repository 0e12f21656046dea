/** One run of a test file with exact bounds. */
export interface TimingRun {
  /** The names of the failed assertions. An assertion has the same name in every run. */
  readonly misses: ReadonlySet<string>
  /** True if every assertion was evaluated: no error, timeout or exit of the process ended a test of the file early. */
  readonly isWhole: boolean
  /** The 99th percentile of the delay of the control loop's timers while the file ran, in ms. */
  readonly lateMs: number
  /** The time of the reference computation, in ms. It runs before and after the file; this is the longer time. */
  readonly referenceMs: number
  /** The time to allocate and fill new memory, in ms, measured at the same times; this is the longer time. */
  readonly memoryMs: number
}

export type Verdict =
  | { readonly state: 'held' }
  | { readonly state: 'missed'; readonly misses: readonly string[] }
  /** The machine was noisy or slow in every whole run, so the misses are not evidence of a slow program. */
  | { readonly state: 'not judged'; readonly misses: readonly string[] }

/** A run is noisy if the delay of the control loop's timers is at least this, in ms. */
export const noisyFrom = 5
/**
 * A run is slow if the reference computation takes at least this, in ms. It took 10 to 12 ms on the machine for which
 * the bounds were written.
 */
export const slowFrom = 14
/** A run is slow if filling new memory takes at least this, in ms. */
export const slowMemoryFrom = 40
/** A bound is missed when this number of quiet runs miss it. One quiet run is enough when no other run follows. */
export const quietRuns = 2
/** The maximum number of runs of a file. */
export const mostRuns = 4

/**
 * Returns the verdict on the runs of a file so far, or `undefined` if the file must run again. A bound is held if one
 * whole run holds it, because a busy machine makes a run slower and never faster. A file without a whole run is missed.
 *
 * @param runs - The runs of the file so far.
 * @param isLast - True if there is no time for another run.
 */
export function judge(runs: readonly TimingRun[], isLast = false): Verdict | undefined {
  if (runs.length === 0) return undefined
  const whole = runs.filter(run => run.isWhole)
  const misses = [...new Set(runs.flatMap(run => [...run.misses]))]
    .filter(miss => whole.every(run => run.misses.has(miss)))
    .sort()
  if (whole.length > 0 && misses.length === 0) return { state: 'held' }
  const quiet = whole.filter(isQuiet).length
  if (quiet >= quietRuns) return { state: 'missed', misses }
  if (!isLast && runs.length < mostRuns) return undefined
  return { state: quiet > 0 || whole.length === 0 ? 'missed' : 'not judged', misses }
}

function isQuiet({ lateMs, referenceMs, memoryMs }: TimingRun): boolean {
  return lateMs < noisyFrom && referenceMs < slowFrom && memoryMs < slowMemoryFrom
}

/** Matches the lines that tap writes for a test that it ended early, and for an error that a test did not catch. */
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

/**
 * Returns the names of the failed assertions in a TAP output. A name consists of the titles of the tests around the
 * assertion, its text with `N` for each number, and its line if the output has it.
 */
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
    // A test also fails when an assertion inside it fails. Count only the assertion.
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
