import { Abortable } from '../../../core/abort.ts'
import type { LiveCall } from '../../call/call.ts'
import type { LayerPosition } from '../../spec/layers.ts'
import type { Answer, Service } from '../../call/layer.ts'

/**
 * One call on its way through one custom layer. A layer that returns what `next` returned costs no promise and is not
 * watched. Any other is waited for until its call is given up; what it sent is waited for even then, since an unsafe
 * call goes on.
 */
export class LayerInvocation<T> extends Abortable {
  readonly at: LayerPosition
  readonly #live: LiveCall<T>
  readonly #next: Service
  readonly #upstream: string
  /** The layer, as messages name it. */
  readonly layer: string
  /** The promise that `next` returned last. */
  #last: Promise<Answer<T>> | undefined
  /** The calls that were sent and have not ended. Tracked from the moment a reader needs them. */
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

  /** Sends the call on. */
  send(live: LiveCall<T>): Promise<Answer<T>> {
    const before = this.#last
    if (this.#isOver && this.at === 'attempt') {
      const refused = Promise.reject<Answer<T>>(
        new TypeError(
          `upstream '${this.#upstream}': a custom layer sent an attempt on after ` +
            'it had answered it: list it in layers.call',
        ),
      )
      // A layer that does not wait for it must not end the process.
      refused.catch(nothing)
      return refused
    }
    if (before !== undefined && !this.#isWatched) this.#watch(before)
    const sent = before === undefined ? this.#next(live) : this.#again(live, before)
    if (this.#isWatched) this.#count(sent)
    return (this.#last = sent)
  }

  /** Takes what the layer answered. */
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
   * An unsafe call that has left is waited for, whatever the layer has made of it: its run must know when it is over.
   */
  async #unsafe(): Promise<void> {
    if (this.#live.spec.safe) return
    while (this.#isWaitedFor) await Promise.allSettled(this.#underWay as Set<Promise<unknown>>)
  }

  /**
   * A call that is sent again takes a permit of its own. An attempt has the one, so what it sends goes one after the
   * other.
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
      // The layer may still make something of it; it is not waited for.
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
    // The layer has answered while a call that it sent is on the wire: that call keeps the permit.
    if (this.at === 'attempt' && this.#isWaitedFor)
      this.#live.attempt.held = Promise.resolve(this.#last).then(nothing, nothing)
  }

  #checked(answer: Answer<T>): Answer<T> {
    const { value, status } = (answer ?? {}) as Partial<Answer<T>>
    if (Number.isInteger(status) && 'value' in answer) return answer
    throw new TypeError(
      `upstream '${this.#upstream}': a custom layer answered ` +
        `${value === undefined ? 'nothing' : 'no status'}: return next(call), or { value, ` +
        'status }',
    )
  }
}

function nothing(): void {}
