import { Problem } from '../errors.ts'
import { readReplyExtras, type ReplyExtras } from './on-reply.ts'
import { zodParser, compileParser, INVALID } from '../core/schema/parser.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { RunHandle } from './run-handle.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { Reply } from './reply.ts'
import { offloading } from './offload/running.ts'
import type { StepArgs } from './step-args.ts'
import { isThenable } from './thenable.ts'

/** The run that an ending belongs to. */
export interface Ended extends Pick<RunHandle, 'failed' | 'abort' | 'invoke'> {
  /** The input and the context, with no step's value. */
  createArgs(): StepArgs
  done(reply: Reply<unknown, string>): void
  stop(error: unknown): void
}

/**
 * The end of a run whose steps all have values: the merge, the reply's schema, and what stands after. A sync function
 * costs no promise.
 */
export class Ending {
  readonly #aggregate: AnyAggregate
  readonly #ledger: OutcomeRecorder
  readonly #run: Ended

  constructor(aggregate: AnyAggregate, ledger: OutcomeRecorder, run: Ended) {
    this.#aggregate = aggregate
    this.#ledger = ledger
    this.#run = run
  }

  /** Ends the run with what the merge makes of all values. */
  merge(seen: StepArgs): void {
    let merged: unknown
    let isLater: boolean
    try {
      merged = offloading.isUsed
        ? this.#run.invoke(this.#aggregate.merge, seen, this.#run.abort, 'merge')
        : this.#aggregate.merge(seen as never)
      isLater = isThenable(merged)
    } catch (error) {
      return this.#run.stop(error)
    }
    if (isLater)
      Promise.resolve(merged).then(
        value => this.#check(value),
        error => this.#run.stop(error),
      )
    else this.#check(merged)
  }

  #check(merged: unknown): void {
    if (this.#run.failed) return
    const { schema, hooks } = this.#aggregate
    let data
    try {
      // Whoever is shown the data may change it: that must be a copy, which zod makes.
      data = (hooks.onReply === undefined ? compileParser : zodParser)(schema)(merged)
      if (data === INVALID) throw new Problem('REPLY_INVALID', { cause: schema.safeParse(merged).error })
    } catch (error) {
      return this.#run.stop(error)
    }
    const reply = { data, complete: this.#ledger.complete, sources: this.#ledger.outcomes() }
    if (hooks.onReply === undefined) this.#run.done(reply)
    else this.#after(hooks.onReply, reply)
  }

  #after(after: NonNullable<AnyAggregate['hooks']['onReply']>, reply: Reply<unknown, string>): void {
    let said: unknown
    let isLater: boolean
    try {
      const seen = Object.assign(this.#run.createArgs(), reply)
      said = offloading.isUsed ? this.#run.invoke(after, seen, this.#run.abort, 'after') : after(seen as never)
      isLater = isThenable(said)
    } catch (error) {
      return this.#run.stop(error)
    }
    if (isLater)
      Promise.resolve(said).then(
        value => this.#close(reply, value),
        error => this.#run.stop(error),
      )
    else this.#close(reply, said)
  }

  #close(reply: Reply<unknown, string>, said: unknown): void {
    if (this.#run.failed) return
    let headers
    try {
      headers = readReplyExtras(this.#aggregate.name, said as ReplyExtras | undefined)
    } catch (error) {
      return this.#run.stop(error)
    }
    this.#run.done(headers === undefined ? reply : { ...reply, headers })
  }
}
