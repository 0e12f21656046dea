import type { AnyAggregate } from '../../src/fanout/aggregate.ts'
import { startRun } from '../../src/fanout/fan-out.ts'
import type { RawInput } from '../../src/fanout/input.ts'
import type { Outcome } from '../../src/fanout/outcome.ts'
import type { Reply } from '../../src/fanout/reply.ts'
import type { EndedItem, RunProgress } from '../../src/fanout/run-progress.ts'
import type { Run } from '../../src/fanout/run.ts'
import type { RunOptions } from '../../src/fanout/run-options.ts'
import { Snapshots } from '../../src/fanout/snapshots.ts'
import type { Step } from '../../src/fanout/step.ts'
import type { EverySnapshot } from '../../src/testing/every-snapshot.ts'

/** What a stream of a run would send, with the time of a snapshot. */
export type StreamedEvent =
  | { readonly event: 'plan' }
  | ({ readonly event: 'item'; readonly name: string } & EndedItem)
  | { readonly event: 'page'; readonly name: string }
  | { readonly event: 'source'; readonly name: string; readonly outcome: Outcome }
  | { readonly event: 'snapshot'; readonly data: unknown; readonly pending: readonly string[]; readonly at: number }
  | { readonly event: 'dropped'; readonly error: unknown; readonly pending: readonly string[] }
  | { readonly event: 'reply'; readonly data: unknown }
  | { readonly event: 'problem'; readonly error: unknown }

export interface Streamed {
  readonly run: Run
  readonly reply: Promise<Reply<unknown, string>>
  readonly events: readonly StreamedEvent[]
  readonly snapshots: Snapshots
  /** The data of the snapshots so far. */
  readonly data: readonly unknown[]
  /** Whether the reader takes a snapshot now. */
  acceptsSnapshots: boolean
  /** Fails the next snapshot that is taken, as data that cannot be written does. */
  unwritable: Error | undefined
  /** Is called with each item. */
  onItem: () => void
}

/**
 * Starts a run, and records what a stream of it would send.
 *
 * @param every also takes each snapshot that a stream might send
 */
export function streamed(
  aggregate: AnyAggregate,
  options: RunOptions,
  input: RawInput = {},
  every?: EverySnapshot,
): Streamed {
  const events: StreamedEvent[] = []
  const progress: RunProgress = {
    planned: () => void events.push({ event: 'plan' }),
    itemEnded({ name }: Step, item: EndedItem) {
      events.push({ event: 'item', name, ...item })
      result.onItem()
      snapshots.changed()
      every?.itemEnded()
    },
    pageEnded({ name }: Step) {
      events.push({ event: 'page', name })
      snapshots.changed()
      every?.pageEnded()
    },
    stepEnded(step: Step) {
      events.push({ event: 'source', name: step.name, outcome: run.outcomeOf(step) as Outcome })
      snapshots.changed()
      every?.stepEnded()
    },
  }
  const run = startRun(aggregate, input, { ...options, progress })
  every?.attach(run)
  const snapshots = new Snapshots(aggregate, run, {
    get acceptsSnapshots() {
      return result.acceptsSnapshots
    },
    snapshotTaken(data, pending) {
      const { unwritable } = result
      result.unwritable = undefined
      if (unwritable !== undefined) throw unwritable
      events.push({ event: 'snapshot', data, pending, at: performance.now() })
    },
    snapshotDropped: (error, pending) => void events.push({ event: 'dropped', error, pending }),
  })
  const result: Omit<Streamed, 'reply'> = {
    run,
    events,
    snapshots,
    get data() {
      return events.flatMap(each => (each.event === 'snapshot' ? [each.data] : []))
    },
    acceptsSnapshots: true,
    unwritable: undefined,
    onItem: () => {},
  }
  const reply = new Promise<Reply<unknown, string>>((resolve, reject) =>
    run.startFor({
      resolve(value) {
        snapshots.end()
        events.push({ event: 'reply', data: value.data })
        resolve(value)
      },
      reject(error) {
        snapshots.end()
        events.push({ event: 'problem', error })
        reject(error)
      },
    }),
  )
  // A test that looks at the events first must not be ended by a rejection it reads later.
  reply.catch(() => {})
  return Object.assign(result, { reply })
}
