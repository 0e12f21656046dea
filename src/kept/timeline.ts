import { randomUUID } from 'node:crypto'
import type { AnyAggregate } from '../fanout/aggregate.ts'
import type { StepEvent } from '../fanout/events.ts'
import type { EndedRun, FollowedRequest, RunEnd, RunTimeline } from '../fanout/run-timeline.ts'
import type { Call } from '../upstream/call/call.ts'
import { numberOfCode } from './codes.ts'
import type { DescribedRun } from './described.ts'
import { attemptKinds, cacheUses, packed, refusals, states } from './packed-values.ts'
import { Entry, type Tape } from './tape.ts'

/** The part of the kept runs that a timeline uses. */
export interface TimelineOwner {
  take(): Tape
  /** Takes the tape of a run that has ended. */
  ended(timeline: Timeline, tape: Tape, end: RunEnd, run: EndedRun): void
  /** Returns the timeline of a run that is a part of the run of another timeline. */
  startPart(aggregate: AnyAggregate, whole: Timeline): Timeline
}

const waits = {
  permit: Entry.waitedForPermit,
  token: Entry.waitedForToken,
  retry: Entry.waitedForRetry,
} as const

/** Records one run: `recording` until its end, then `ended`. A run that never starts takes no tape. */
export class Timeline implements RunTimeline {
  readonly described: DescribedRun
  readonly request: FollowedRequest
  /** The start of the run, in ms since 1970. */
  readonly startedAt: number
  readonly #owner: TimelineOwner
  #id: string | undefined
  #tape: Tape | undefined
  #hasEnded = false

  constructor(described: DescribedRun, request: FollowedRequest, startedAt: number, owner: TimelineOwner) {
    this.described = described
    this.request = request
    this.startedAt = startedAt
    this.#owner = owner
    this.#id = request.id
  }

  get id(): string {
    return (this.#id ??= randomUUID())
  }

  callSent(step: number, call: number, { spec, path }: Pick<Call<unknown>, 'spec' | 'path'>, at: number): void {
    if (!this.#hasEnded) this.#recording().addCall(spec, path, step, call, at)
  }

  event(event: StepEvent): void {
    if (this.#hasEnded) return
    const tape = this.#recording()
    const { step, at } = event
    switch (event.type) {
      case 'step started':
        return tape.add(Entry.stepStarted, step, 0, at, 0)
      case 'step ended':
        return tape.add(Entry.stepEnded, step, 0, at, packed(states.indexOf(event.state), numberOfCode(event.code), 0))
      case 'attempt started':
        return tape.add(
          Entry.attemptStarted,
          step,
          event.call,
          at,
          packed(attemptKinds.indexOf(event.kind), event.attempt, 0),
        )
      case 'attempt ended':
        return tape.add(
          Entry.attemptEnded,
          step,
          event.call,
          at,
          packed(numberOfCode(event.code), event.attempt, event.status ?? 0),
        )
      case 'call waited':
        return tape.add(waits[event.reason], step, event.call, at, event.ms)
      case 'call joined':
        return tape.add(event.reason === 'keys' ? Entry.joinedKeys : Entry.joined, step, event.call, at, 0)
      case 'resend refused':
        return tape.add(
          Entry.refused,
          step,
          event.call,
          at,
          packed(attemptKinds.indexOf(event.kind), refusals.indexOf(event.reason), 0),
        )
      case 'call ended':
        return tape.add(
          Entry.callEnded,
          step,
          event.call,
          at,
          packed(
            numberOfCode(event.code),
            event.cached === undefined ? 0 : 1 + cacheUses.indexOf(event.cached.cache),
            event.status ?? 0,
          ),
        )
    }
  }

  ended(end: RunEnd, run: EndedRun): void {
    if (this.#hasEnded) return
    const tape = this.#recording()
    this.#hasEnded = true
    this.#tape = undefined
    this.#owner.ended(this, tape, end, run)
  }

  part(aggregate: AnyAggregate): RunTimeline {
    return this.#owner.startPart(aggregate, this)
  }

  #recording(): Tape {
    if (this.#tape !== undefined) return this.#tape
    const tape = (this.#tape = this.#owner.take())
    // context() may be a step too.
    tape.reserve(this.described.steps.length + 1)
    return tape
  }
}
