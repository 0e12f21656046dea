import { randomUUID } from 'node:crypto'
import { channel } from 'node:diagnostics_channel'
import type { BareEvent, EventRun, OnEvent, RunEvent } from './events.ts'
import type { Route } from './route.ts'
import type { RunHandle } from './run-handle.ts'

/** The diagnostics channel that publishes the events of all runs of this process. */
export const eventChannel = channel('headwaters:event')

/** The part of an aggregate that the events of its runs have. */
export interface WatchedAggregate {
  readonly name: string
  readonly route: Pick<Route, 'url'> & { readonly method: string }
  readonly steps: readonly { readonly name: string }[]
}

/** The part of a run that its watch uses. */
type WatchedRun = Pick<RunHandle, 'headers' | 'trace' | 'fail'>

/**
 * Returns the watch of a run, or `undefined` if neither `onEvent` nor a subscriber of the channel watches it.
 *
 * @param id The id of the run, or an object that has it. @default a random UUID
 */
export function watchOf(
  aggregate: WatchedAggregate,
  run: WatchedRun,
  onEvent: OnEvent | undefined,
  id?: string | { readonly id: string },
): RunWatch | undefined {
  if (onEvent === undefined && !eventChannel.hasSubscribers) return undefined
  return new RunWatch(aggregate, run, onEvent, typeof id === 'object' ? id.id : id)
}

/**
 * Passes the events of one run to the diagnostics channel and to `onEvent`, in the order in which they happen. An event
 * that happens while another one is passed on waits, so that both receive all events in the same order.
 */
export class RunWatch {
  readonly #aggregate: WatchedAggregate
  readonly #run: WatchedRun
  readonly #info: EventRun
  #onEvent: OnEvent | undefined
  /** True if the channel had a subscriber when the run was created, so that it publishes all events or none. */
  readonly #isPublished = eventChannel.hasSubscribers
  readonly #queue: RunEvent[] = []

  constructor(aggregate: WatchedAggregate, run: WatchedRun, onEvent: OnEvent | undefined, id: string = randomUUID()) {
    const { method, url } = aggregate.route
    this.#aggregate = aggregate
    this.#run = run
    this.#info = {
      id,
      aggregate: aggregate.name,
      method,
      url,
      requestId: run.headers['x-request-id'],
      traceId: run.trace?.traceId,
    }
    this.#onEvent = onEvent
  }

  notify(event: BareEvent): void {
    if (this.#queue.push(this.#named(event)) > 1) return
    // The array grows while it is iterated.
    for (const next of this.#queue) this.#pass(next)
    this.#queue.length = 0
  }

  #named(event: BareEvent): RunEvent {
    const run = this.#info
    if (!('step' in event)) return { ...event, run }
    const step = this.#aggregate.steps[event.step]
    return { ...event, run, stepName: step === undefined ? 'context' : step.name }
  }

  #pass(event: RunEvent): void {
    if (this.#isPublished) eventChannel.publish(event)
    try {
      const returned: unknown = this.#onEvent?.(event)
      if (returned !== undefined) Promise.resolve(returned).catch((error: unknown) => this.#fail(error))
    } catch (error) {
      this.#fail(error)
    }
  }

  /** Fails the run, as any other bug does, and does not call `onEvent` again. */
  #fail(error: unknown): void {
    this.#onEvent = undefined
    this.#run.fail(error)
  }
}
