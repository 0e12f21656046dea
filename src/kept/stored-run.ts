import type { Outcome } from '../fanout/outcome.ts'
import type { EndedRun, FollowedRequest, RunEnd } from '../fanout/run-timeline.ts'
import { Problem } from '../errors.ts'
import type { KeptOutcome, RunClass, RunState } from '../waterfall/kept-run.ts'
import { cut } from '../log/cut.ts'
import { describedOperation, withHiddenIds, type DescribedOperation, type DescribedRun } from './described.ts'
import { Entry, numbersOfEntry, type Tape } from './tape.ts'
import type { Timeline } from './timeline.ts'

/** The longest part of a path that is kept, in characters. */
export const longestPath = 512

/** An outcome with the code of its first failed call. */
export interface StoredOutcome extends KeptOutcome {
  readonly failedCode: string | null
}

/** A run as it is kept: numbers, and texts whose secrets of the service are removed when they are read. */
export interface StoredRun {
  readonly id: string
  readonly described: DescribedRun
  readonly request: Omit<FollowedRequest, 'credentials'>
  /** The start, in ms since 1970. */
  readonly startedAt: number
  readonly deadline: number
  readonly state: RunState
  readonly class: RunClass
  readonly ms: number
  readonly status: number | null
  readonly code: string | null
  readonly caller: 'waited' | 'left' | 'cut'
  /** The entries of the tape. */
  readonly numbers: Float64Array
  /** The operations and the paths of the calls, by their index. */
  readonly operations: readonly DescribedOperation[]
  readonly paths: readonly string[]
  /** The outcomes by name; `undefined` for a batch. */
  readonly outcomes: ReadonlyMap<string, StoredOutcome> | undefined
  readonly omittedCalls: number
  readonly omittedEntries: number
  /** The memory that the run takes, in bytes: an estimate. */
  readonly bytes: number
}

/**
 * Returns a run to keep. It copies what the tape has, because another run uses the tape next. The credentials of the
 * caller are removed from its texts now, because they are not kept.
 */
export function storedRun(
  { id, described, request: { credentials, ...request }, startedAt }: Timeline,
  tape: Tape,
  { state, at, status, code, cancelledBy }: RunEnd,
  { deadline, outcomes }: EndedRun,
  runClass: RunClass,
): StoredRun {
  const problem = cancelledBy instanceof Problem ? cancelledBy : undefined
  const clean = (text: string) => credentials?.hide(text) ?? text
  const paths = tape.paths.map(path => clean(shortText(path)))
  const target = clean(shortText(request.target))
  const run: Omit<StoredRun, 'bytes'> = {
    id,
    described: outcomes === undefined ? withHiddenIds(described, clean) : described,
    request: { ...request, target },
    startedAt,
    deadline,
    state,
    class: runClass,
    ms: at,
    status: problem?.statusCode ?? status ?? null,
    code: problem?.code ?? code ?? null,
    caller: state !== 'cancelled' ? 'waited' : problem === undefined ? 'left' : 'cut',
    numbers: tape.numbers.slice(0, tape.length),
    operations: tape.specs.map(describedOperation),
    paths,
    outcomes:
      outcomes && new Map(Object.entries(outcomes).map(([name, outcome]) => [name, storedOutcome(outcome)] as const)),
    omittedCalls: tape.omittedCalls,
    omittedEntries: tape.omittedEntries,
  }
  return { ...run, bytes: bytesOf(run) }
}

/** Returns a run without its calls, which take most of its room. They count as omitted. */
export function withoutCalls(stored: StoredRun): StoredRun {
  const { paths, omittedCalls, operations, outcomes, numbers } = stored
  const run: Omit<StoredRun, 'bytes'> = {
    ...stored,
    // The steps of a batch have their outcomes there.
    numbers: outcomes === undefined ? entriesOfSteps(numbers) : new Float64Array(),
    paths: [],
    // The upstreams of a run are read from its operations.
    operations: [...new Set(operations)],
    omittedCalls: omittedCalls + paths.length,
  }
  return { ...run, bytes: bytesOf(run) }
}

/** Returns the entries that decide the outcomes of steps. */
function entriesOfSteps(numbers: Float64Array): Float64Array {
  const kept: number[] = []
  for (let at = 0; at < numbers.length; at += numbersOfEntry) {
    const kind = (numbers[at] as number) % 16
    if (kind === Entry.stepStarted || kind === Entry.stepEnded || kind === Entry.attemptStarted)
      kept.push(...numbers.subarray(at, at + numbersOfEntry))
  }
  return Float64Array.from(kept)
}

/** Returns the memory that a run takes, in bytes: an estimate. */
function bytesOf({ request, described, numbers, paths, operations }: Omit<StoredRun, 'bytes'>): number {
  const texts = paths.reduce((sum, path) => sum + path.length, request.target.length)
  return 800 + 8 * (numbers.length + operations.length) + 2 * texts + 24 * paths.length + 160 * described.steps.length
}

/**
 * Returns the beginning of a text, with the mark before which the log finds the beginning of a secret. It is copied,
 * because a part of a text retains the whole.
 */
function shortText(text: string): string {
  return text.length <= longestPath ? text : Buffer.from(cut(text, longestPath)).toString()
}

function storedOutcome(outcome: Outcome): StoredOutcome {
  const { state, start, ms, attempts, code, failed, fault } = outcome
  return {
    state,
    start: start ?? null,
    ms,
    attempts,
    code: code ?? null,
    fault: fault ?? null,
    failedCode: failed?.[0]?.code ?? null,
  }
}
