import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/live-call.ts'
import type { LayerPosition } from '../../spec/layers.ts'
import type { Answer, Service } from '../../call/layer.ts'

/**
 * One call that passes through one custom layer. If the layer returns the promise of `next`, that promise is passed on
 * without another promise.
 *
 * For any other result, the call waits until it is aborted. If calls that the layer has sent are still in flight then,
 * the call waits for them too, because an unsafe call continues after an abort.
 */
export class LayerInvocation<T> extends Abortable {
  readonly at: LayerPosition
  readonly #live: LiveCall<T>
  readonly #next: Service
  readonly #upstream: string
  /** The name of the layer in messages. */
  readonly layer: string
  /** The promise that `next` returned last. */
  #last: Promise<Answer<T>> | undefined
  /** The calls that were sent and have not ended. It is created when it is first needed. */
  #underWay: Set<Promise<unknown>> | undefined
  #isWatched = false
  #isOver = false
  #reject: (reason: unknown) => void = () => {}

  constructor(live: LiveCall<T>, next: Service, at: LayerPosition, upstream: string, layer: string) {
    super()
    this.#live = live
    this.#next = next
    this.at = at
    this.#upstream = upstream
    this.layer = layer
  }

  /** Sends the call to the next layer. */
  send(live: LiveCall<T>): Promise<Answer<T>> {
    const before = this.#last
    if (this.#isOver && this.at === 'attempt') {
      const refused = Promise.reject<Answer<T>>(
        new TypeError(
          `upstream '${this.#upstream}': a custom layer called next after ` +
            'it had returned its result: list the layer in layers.call',
        ),
      )
      // The layer may ignore the promise. Its rejection must not end the process.
      refused.catch(nothing)
      return refused
    }
    if (before !== undefined && !this.#isWatched) this.#watch(before)
    const sent = before === undefined ? this.#next(live) : this.#again(live, before)
    if (this.#isWatched) this.#count(sent)
    return (this.#last = sent)
  }

  /** Receives the result of the layer. */
  take(answer: Answer<T> | Promise<Answer<T>>): Promise<Answer<T>> {
    const last = this.#last
    if (last !== undefined && answer === last) {
      this.#isOver = true
      return last
    }
    if (!this.#isWatched) this.#watch(last)
    return new Promise((resolve, reject) => {
      this.#reject = reject
      this.#live.abort.add(this)
      Promise.resolve(answer)
        .then(value => this.#checked(value))
        .then(
          async value => {
            await this.#unsafe()
            this.#end()
            resolve(value)
          },
          async error => {
            await this.#unsafe()
            this.#end()
            reject(error)
          },
        )
    })
  }

  onAbort(reason: unknown): void {
    if (this.#isWaitedFor) return
    this.#end()
    this.#reject(reason)
  }

  get #isWaitedFor(): boolean {
    return this.#underWay !== undefined && this.#underWay.size > 0
  }

  /**
   * Waits for an unsafe call that was sent, whatever result the layer returns, because its run must know when it has
   * ended.
   */
  async #unsafe(): Promise<void> {
    if (this.#live.spec.safe) return
    while (this.#isWaitedFor) await Promise.allSettled(this.#underWay as Set<Promise<unknown>>)
  }

  /**
   * Sends the call once more. At `call` each sending takes its own permit. An attempt has only one permit, so at
   * `attempt` the sendings follow one another.
   */
  #again(live: LiveCall<T>, before: Promise<unknown>): Promise<Answer<T>> {
    if (this.at === 'call') return this.#next(live.nextAttempt())
    const next = () => this.#next(live)
    return before.then(next, next)
  }

  #watch(sent: Promise<unknown> | undefined): void {
    this.#isWatched = true
    if (sent !== undefined) this.#count(sent)
  }

  #count(sent: Promise<unknown>): void {
    const ended = () => {
      this.#underWay?.delete(sent)
      const { abort } = this.#live
      // The layer can still produce a result in this turn of the event loop. After that the call does not wait for it.
      if (abort.aborted)
        setImmediate(() => {
          if (!this.#isOver) this.onAbort(abort.reason)
        })
    }
    ;(this.#underWay ??= new Set()).add(sent)
    sent.then(ended, ended)
  }

  #end(): void {
    this.#isOver = true
    this.#live.abort.delete(this)
    // The layer has answered while a call that it sent is in flight. That call keeps the permit.
    if (this.at === 'attempt' && this.#isWaitedFor)
      this.#live.attempt.held = Promise.resolve(this.#last).then(nothing, nothing)
  }

  #checked(answer: Answer<T>): Answer<T> {
    const { value, status } = (answer ?? {}) as Partial<Answer<T>>
    if (Number.isInteger(status) && 'value' in answer) return answer
    throw new TypeError(
      `upstream '${this.#upstream}': a custom layer returned ` +
        `${value === undefined ? 'no value' : 'no status'}: return next(call), or { value, ` +
        'status }',
    )
  }
}

function nothing(): void {}
