import { Problem } from '../errors.ts'
import { readReplyExtras, type ReplyExtras } from './on-reply.ts'
import { zodParser, compileParser, INVALID } from '../core/schema/parser.ts'
import type { AnyAggregate } from './aggregate.ts'
import type { RunHandle } from './run-handle.ts'
import type { OutcomeRecorder } from './outcome-recorder.ts'
import type { Reply } from './reply.ts'
import { replyFault } from './reply-fault.ts'
import type { ReplyStatus } from './reply-status.ts'
import { invoke } from './invoke.ts'
import type { StepArgs } from './step-args.ts'
import { isThenable } from './is-thenable.ts'

/** The part of a run that a reply builder uses. */
export interface ReplyTarget extends Pick<RunHandle, 'isClosed' | 'abort' | 'invoke' | 'spans'> {
  /** The input and the context, without the values of steps. */
  createArgs(): StepArgs
  complete(reply: Reply<unknown, string>): void
  fail(error: unknown): void
}

/**
 * Builds the reply of a run whose steps all have values: the merge, the reply's schema and onReply(). A synchronous
 * function does not create a promise.
 */
export class ReplyBuilder {
  readonly #aggregate: AnyAggregate
  readonly #recorder: OutcomeRecorder
  readonly #run: ReplyTarget

  constructor(aggregate: AnyAggregate, recorder: OutcomeRecorder, run: ReplyTarget) {
    this.#aggregate = aggregate
    this.#recorder = recorder
    this.#run = run
  }

  /** Merges the values of all steps, and completes the run with the reply. */
  merge(args: StepArgs): void {
    let merged: unknown
    let isAsync: boolean
    try {
      merged = invoke(this.#run, this.#aggregate.merge, args, this.#run.abort, 'merge')
      isAsync = isThenable(merged)
    } catch (error) {
      return this.#run.fail(error)
    }
    if (isAsync)
      Promise.resolve(merged).then(
        value => this.#check(value),
        error => this.#run.fail(error),
      )
    else this.#check(merged)
  }

  #check(merged: unknown): void {
    if (this.#run.isClosed) return
    const { schema, hooks } = this.#aggregate
    let data
    try {
      // onReply() may change the data, so it must get a copy. zod copies what it parses; the compiled parser does not.
      data = (hooks.onReply === undefined ? compileParser : zodParser)(schema)(merged)
      if (data === INVALID) throw new Problem('REPLY_INVALID', { cause: replyFault(this.#aggregate, merged) })
    } catch (error) {
      return this.#run.fail(error)
    }
    const reply = { data, complete: this.#recorder.complete, sources: this.#recorder.outcomes() }
    if (hooks.onReply === undefined) this.#run.complete(withStatus(reply, this.#aggregate.statuses[0]))
    else this.#callHook(hooks.onReply, reply)
  }

  #callHook(onReply: NonNullable<AnyAggregate['hooks']['onReply']>, reply: Reply<unknown, string>): void {
    let extras: unknown
    let isAsync: boolean
    try {
      const args = Object.assign(this.#run.createArgs(), reply)
      extras = invoke(this.#run, onReply, args, this.#run.abort, 'onReply()')
      isAsync = isThenable(extras)
    } catch (error) {
      return this.#run.fail(error)
    }
    if (isAsync)
      Promise.resolve(extras).then(
        value => this.#finish(reply, value),
        error => this.#run.fail(error),
      )
    else this.#finish(reply, extras)
  }

  #finish(reply: Reply<unknown, string>, extras: unknown): void {
    if (this.#run.isClosed) return
    let answer
    try {
      answer = readReplyExtras(this.#aggregate, reply.data, extras as ReplyExtras | undefined)
    } catch (error) {
      return this.#run.fail(error)
    }
    // onReply() may have made a call through a function of the context, and the answer may be stale.
    const current =
      this.#recorder.complete === reply.complete
        ? reply
        : { data: reply.data, complete: false, sources: this.#recorder.outcomes() }
    const { status, headers } = answer
    this.#run.complete(withStatus(headers === undefined ? current : { ...current, headers }, status))
  }
}

/** Returns the reply with its status. A reply with the status 200 is returned unchanged. */
function withStatus(reply: Reply<unknown, string>, status: ReplyStatus): Reply<unknown, string> {
  return status === 200 ? reply : { ...reply, status }
}
