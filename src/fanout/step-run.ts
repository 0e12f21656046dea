import { UpstreamError, type ErrorCode } from '../errors.ts'
import { Abort } from '../core/abort.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import { Call, LiveCall } from '../upstream/call/call.ts'
import { deepFreeze } from '../core/freeze.ts'
import { ignoreRejection } from '../core/promises.ts'
import { skip } from './aggregate.ts'
import { PendingCall } from './pending-call.ts'
import type { Tally } from './events.ts'
import { gather, type Ask, type CallCompletion, type Gathering } from './gather.ts'
import type { RunHandle } from './run-handle.ts'
import type { State } from './outcome-recorder.ts'
import { offloading } from './offload/running.ts'
import type { Step } from './step.ts'
import { isThenable } from './thenable.ts'

/** Why calls are stopped whose step has its value; nobody waits for them, so nobody reads its stack. */
const over = new DOMException('the step has ended', 'AbortError')

const noCalls: Tally = Object.freeze({ calls: 0, ok: 0, failed: Object.freeze([]) })

/** One step of one run: asks its function, sends what it returns, and ends once, with a value or with a failure. */
export class StepRun implements CallCompletion {
  readonly step: Step
  /** Waits for its needs; its function has not returned; its calls are under way; has ended. */
  phase: 'waiting' | 'thinking' | 'calling' | 'ended' = 'waiting'
  /** Needs that have no value yet. */
  pendingNeeds: number
  value: unknown
  /** Unsafe calls under way: a failing reply waits for them. */
  unsafe = 0
  /** Stops this step alone; the run's own abort where nothing stops it alone. */
  readonly abort: Abort
  readonly #run: RunHandle
  #timer: NodeJS.Timeout | undefined
  #gathering: Gathering | undefined
  #calls = 1

  constructor(step: Step, host: RunHandle) {
    this.step = step
    this.pendingNeeds = step.needs.length
    this.#run = host
    this.abort = step.timeout === undefined && step.kind !== 'firstOf' ? host.abort : new Abort()
  }

  /** Asks the step's function what to ask. */
  start(seen: object): void {
    const { step, abort } = this
    this.phase = 'thinking'
    if (this.#run.shedOptional && (step.kind === 'optional' || step.minSuccess === 0))
      return this.#lose(new UpstreamError('SHED', step.name))
    if (abort !== this.#run.abort) this.#run.abort.add(abort)
    // A step that falls due at the deadline may still look, and sends nothing.
    if (this.#run.abort.aborted) abort.abort(this.#run.abort.reason)
    if (step.timeout !== undefined)
      this.#timer = setTimeout(() => this.#onTimeout(step.timeout as number), step.timeout)

    let asked: unknown
    let isLater: boolean
    try {
      asked = offloading.isUsed ? this.#run.invoke(step.author, seen, abort, step) : step.author(seen as never)
      isLater = isThenable(asked)
    } catch (error) {
      return this.#lose(error)
    }
    if (!isLater) return this.#goOn(asked)
    // A promise of foreign make may throw, or call back twice.
    Promise.resolve(asked).then(
      value => this.#goOn(value),
      error => this.#lose(error),
    )
    // Past the deadline nothing is waited for.
    if (this.#run.expired !== undefined) this.#lose(this.#run.expired)
  }

  /** What `before` sees: it may wait for answers, which a step declares. */
  asking(seen: object): object {
    const ask = (call: unknown) => {
      const asked = new Promise((resolve, reject) => {
        if (call instanceof Call)
          this.#ask(call, 0, { resolve: (_index, value) => resolve(value), reject: (_index, error) => reject(error) })
        else reject(new TypeError('ask takes a call: ask(upstream.operation(input))'))
      })
      // It may fail while another is awaited; whoever awaits it hears of it then.
      asked.catch(() => {})
      return asked
    }
    return Object.assign(seen, { ask })
  }

  /** Ends a step whose function has not returned; calls that were cut end by themselves. */
  abortPending(reason: UpstreamError): void {
    if (this.phase === 'thinking') this.#lose(reason)
  }

  /** Ends a step whose calls have not ended although they were cut. */
  forceSettle(reason: UpstreamError): void {
    if (this.phase !== 'calling') return
    if (this.#gathering === undefined) this.#lose(reason)
    else this.#gathering.expire(reason)
  }

  /** Lets go of the timer, and of calls that are no longer waited for. */
  release(): void {
    this.phase = 'ended'
    clearTimeout(this.#timer)
    const { abort } = this
    if (abort === this.#run.abort) return
    abort.abort(over)
    // Unsafe calls that have left go on, and still listen for the deadline.
    if (abort.size === 0) this.#run.abort.delete(abort)
  }

  /**
   * Lets go of the value: a run that has waited is old, and dead it would keep from dying what is young
   * (docs/performance.md).
   */
  releaseValue(): void {
    this.value = undefined
    this.#gathering = undefined
  }

  #onTimeout(ms: number): void {
    const reason = new UpstreamError('STEP_TIMEOUT', this.step.name, { detail: `it may take ${ms} ms` })
    this.abort.abort(reason)
    this.abortPending(reason)
    setImmediate(() => {
      if (this.unsafe === 0) this.forceSettle(reason)
    })
  }

  /** The same, where what was returned may throw when it is looked at. */
  #goOn(asked: unknown): void {
    try {
      this.#proceed(asked)
    } catch (error) {
      // What is thrown after the end of the step is not about its value.
      if (this.phase === 'ended') throw error
      this.#lose(error)
    }
  }

  /** Goes on with what the step's function returned. */
  #proceed(asked: unknown): void {
    if (this.phase !== 'thinking' || this.#run.failed) return
    const { kind, name } = this.step
    this.phase = 'calling'
    if (asked === skip) return this.#skip()
    if (kind === 'each' || kind === 'firstOf') return this.#askMany(asked)
    if (asked instanceof Call) this.#ask(asked, 0, this)
    else if (Array.isArray(asked) && asked.some(item => item instanceof Call))
      this.#bug(`step '${name}' returned several calls: use each or firstOf`)
    else this.#take(asked)
  }

  #skip(): void {
    const { kind, name, fallback } = this.step
    if (kind === 'optional') this.#end(fallback, 'skipped')
    else if (kind === 'each') this.#end([], 'skipped', undefined, noCalls)
    else this.#bug(`step '${name}' is ${kind} and cannot skip: make it optional`)
  }

  /** Ends with a value that the step's function made itself. */
  #take(value: unknown): void {
    try {
      if (this.step.isFrozen) deepFreeze(value)
    } catch (error) {
      return this.#lose(error)
    }
    this.#end(value, 'ok')
  }

  #askMany(asked: unknown): void {
    const { step } = this
    const { name, kind, maxItems, needs, count } = step
    if (!Array.isArray(asked) || !asked.every(item => item instanceof Call)) {
      // A promise among them that rejects would end the process.
      if (Array.isArray(asked)) asked.forEach(ignoreRejection)
      return this.#bug(`step '${name}' must return a list of calls`)
    }
    const calls: readonly Call<unknown>[] = asked
    this.#calls = calls.length
    if (calls.length > maxItems) {
      // From the input it is the caller's to mend, from an upstream it is not.
      const code = needs.length === 0 ? 'TOO_MANY_ITEMS' : 'UPSTREAM_TOO_MANY_ITEMS'
      return this.#run.stepFailed(new UpstreamError(code, name, { detail: `${calls.length} above ${maxItems}` }), this)
    }
    if (kind === 'firstOf' && calls.length < count)
      return this.#bug(
        `step '${name}' returned ${calls.length} calls to take the first ${count} answers of: return more calls`,
      )
    this.#gathering = gather({
      step,
      calls,
      ask: this.#ask,
      done: (values, tally, isStale) => {
        const state = kind === 'each' && tally.failed.length > 0 ? 'partial' : isStale ? 'stale' : 'ok'
        this.#end(kind === 'firstOf' && count === 1 ? values[0] : values, state, undefined, tally)
      },
      fail: (error, tally) => {
        if (this.phase !== 'ended') this.#run.stepFailed(this.#judged(error), this, tally)
      },
    })
  }

  /** The answer to the one call of a step that makes no more. */
  resolve(_index: number, value: unknown, cached: Cached | undefined): void {
    if (cached?.insteadOf === undefined) this.#end(value, 'ok')
    else this.#end(value, 'stale', cached.insteadOf.code)
  }

  reject(_index: number, error: unknown): void {
    this.#lose(error)
  }

  readonly #ask: Ask = (call, position, taker) => {
    const { abort, step } = this
    this.#run.reads?.asked(call.spec.upstream)
    const asked = new PendingCall(this, this.#run, call.spec, step.isFrozen, position, taker)
    if (!call.spec.safe) this.unsafe++
    if (abort.aborted) asked.reject(abort.reason)
    else this.#run.send(new LiveCall(call, abort, this.#run, step.index, position, this.#calls), asked)
  }

  /** Failed: by an upstream, with a fallback or without; by the author's refusal; or by a bug. */
  #lose(error: unknown): void {
    if (this.phase === 'ended') return
    const failure = this.#judged(error)
    const { kind, fallback, minSuccess } = this.step
    if (!(failure instanceof UpstreamError)) this.#run.stepFailed(failure, this)
    else if (kind === 'optional') this.#end(fallback, 'fallback', failure.code)
    else if (minSuccess === 0) this.#end([], 'fallback', failure.code, noCalls)
    else this.#run.stepFailed(failure, this)
  }

  /** A call that cannot be asked is the caller's fault only where its input can have come from nobody else. */
  #judged(error: unknown): unknown {
    return error instanceof UpstreamError && error.code === 'CALL_INPUT_INVALID' && this.step.needs.length > 0
      ? new UpstreamError('UPSTREAM_CALL_INPUT_INVALID', error.source, { cause: error })
      : error
  }

  #bug(message: string): void {
    this.#run.stepFailed(new TypeError(message), this)
  }

  #end(value: unknown, state: State, code?: ErrorCode, tally?: Tally): void {
    if (this.phase === 'ended') return
    this.value = this.step.isFrozen && this.step.kind === 'each' ? Object.freeze(value) : value
    this.#run.stepEnded(this, value, state, code, tally)
  }
}
