import { Problem } from '../errors.ts'
import { readAfter, type AfterReply } from './on-reply.ts'
import { copierOf, readerOf, unfit } from '../core/schema/parser.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { Host } from './run-handle.ts'
import type { Ledger } from './outcome-recorder.ts'
import type { Reply } from './reply.ts'
import { offloading } from './offload/running.ts'
import type { Seen } from './step-args.ts'
import { isThenable } from './thenable.ts'

/** The run that an ending belongs to. */
export interface Ended extends Pick<Host, 'failed' | 'abort' | 'invoke'> {
  /** The input and the context, with no step's value. */
  look (): Seen
  done (reply: Reply<unknown, string>): void
  stop (error: unknown): void
}

/** The end of a run whose steps all have values: the merge, the reply's schema, and what stands after. A sync function costs no promise. */
export class Ending {
  readonly #aggregate: AnyAggregate
  readonly #ledger: Ledger
  readonly #run: Ended

  constructor (aggregate: AnyAggregate, ledger: Ledger, run: Ended) {
    this.#aggregate = aggregate
    this.#ledger = ledger
    this.#run = run
  }

  /** Ends the run with what the merge makes of all values. */
  merge (seen: Seen): void {
    let merged: unknown
    let isLater: boolean
    try {
      merged = offloading.isUsed ? this.#run.invoke(this.#aggregate.merge, seen, this.#run.abort, 'merge') : this.#aggregate.merge(seen as never)
      isLater = isThenable(merged)
    } catch (error) {
      return this.#run.stop(error)
    }
    if (isLater) Promise.resolve(merged).then(value => this.#check(value), error => this.#run.stop(error))
    else this.#check(merged)
  }

  #check (merged: unknown): void {
    if (this.#run.failed) return
    const { schema, hooks } = this.#aggregate
    let data
    try {
      // Whoever is shown the data may change it: that must be a copy, which zod makes.
      data = (hooks.after === undefined ? readerOf : copierOf)(schema)(merged)
      if (data === unfit) throw new Problem('REPLY_INVALID', { cause: schema.safeParse(merged).error })
    } catch (error) {
      return this.#run.stop(error)
    }
    const reply = { data, complete: this.#ledger.complete, sources: this.#ledger.outcomes() }
    if (hooks.after === undefined) this.#run.done(reply)
    else this.#after(hooks.after, reply)
  }

  #after (after: NonNullable<AnyAggregate['hooks']['after']>, reply: Reply<unknown, string>): void {
    let said: unknown
    let isLater: boolean
    try {
      const seen = Object.assign(this.#run.look(), reply)
      said = offloading.isUsed ? this.#run.invoke(after, seen, this.#run.abort, 'after') : after(seen as never)
      isLater = isThenable(said)
    } catch (error) {
      return this.#run.stop(error)
    }
    if (isLater) Promise.resolve(said).then(value => this.#close(reply, value), error => this.#run.stop(error))
    else this.#close(reply, said)
  }

  #close (reply: Reply<unknown, string>, said: unknown): void {
    if (this.#run.failed) return
    let headers
    try {
      headers = readAfter(this.#aggregate.name, said as AfterReply | undefined)
    } catch (error) {
      return this.#run.stop(error)
    }
    this.#run.done(headers === undefined ? reply : { ...reply, headers })
  }
}
