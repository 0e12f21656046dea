import { UpstreamError } from '../errors.ts'
import { deepFreeze } from '../core/freeze.ts'
import { Call } from '../upstream/call/call.ts'
import { closeUnsent } from '../upstream/call/write-body/stream-body.ts'
import type { Cached } from '../upstream/spec/answer.ts'
import { answerOf, askInSnapshot, lateAsk } from './ask.ts'
import type { AnswerCompletion } from './asked-calls.ts'
import { startCallGroup, type CallCompletion } from './call-group.ts'
import { readCallList } from './call-list.ts'
import type { Item } from './chain.ts'
import type { CallCounts } from './events.ts'
import { invoke } from './invoke.ts'
import { isThenable } from './is-thenable.ts'
import type { State } from './outcome.ts'
import { PageRun } from './page-run.ts'
import { itemListener } from './run-progress.ts'
import { returnFault, skipFault } from './return-faults.ts'
import { noCalls } from './step-phases.ts'
import { StepSender } from './step-sender.ts'
import { hasSeveralCalls } from './step.ts'
import { skip } from './skip.ts'
import { isMergingSnapshot } from './snapshot-scope.ts'

/** One step of one run: invokes its function, and reads the value, the call or the list of calls that it returns. */
export class StepRun extends StepSender implements CallCompletion {
  /** Invokes the step's function. */
  start(args: object): void {
    if (!this.begin()) return
    const { step, run } = this
    let returned: unknown
    let isAsync: boolean
    try {
      returned = invoke(run, step.handler, args, this.abort, step)
      isAsync = isThenable(returned)
    } catch (error) {
      return this.settleFailure(error)
    }
    if (!isAsync) return this.#proceed(returned, args)
    // A thenable may throw, or call back twice; Promise.resolve guards against both.
    Promise.resolve(returned).then(
      value => this.#proceed(value, args),
      error => this.settleFailure(error),
    )
    // After the deadline the step does not wait for the promise.
    if (run.isExpired) this.settleFailure(run.abort.reason)
  }

  /** Sends a call for the step's function, which awaits its answer. */
  ask(call: unknown): Promise<unknown> {
    return answerOf(call, (checked, completion) => this.#ask(checked, completion))
  }

  #ask(call: Call<unknown>, completion: AnswerCompletion): void {
    const { abort, step } = this
    // context() may pass `ask` to the steps and to the merge.
    if (step.index < 0) {
      if (isMergingSnapshot()) {
        closeUnsent(call)
        return completion.reject(askInSnapshot())
      }
      this.run.contextCallStarted()
    } else if (!this.isInvoked) {
      closeUnsent(call)
      return completion.reject(
        this.run.hasFailed || abort.reason instanceof UpstreamError ? abort.reason : lateAsk(step),
      )
    }
    this.sendAsked(call, completion)
  }

  /** Handles the value that the step's function returned. Reading the value may throw. */
  #proceed(returned: unknown, args: object): void {
    try {
      this.#read(returned, args)
    } catch (error) {
      // If the step has already ended, the error was not caused by its value.
      if (this.hasEnded) throw error
      this.settleFailure(error)
    }
  }

  #read(returned: unknown, args: object): void {
    if (!this.isInvoked || this.run.isClosed) {
      if (returned instanceof Call) closeUnsent(returned)
      return
    }
    const { step } = this
    this.beginCalls()
    if (returned === skip) return this.#skip()
    if (step.kind === 'pages') return this.#sendPages(returned, args)
    if (hasSeveralCalls(step.kind)) return this.#sendAll(returned)
    if (returned instanceof Call) return this.#sendOne(returned)
    const fault = returnFault(step, returned)
    if (fault === undefined) this.#take(returned)
    else this.fail(new TypeError(fault))
  }

  #sendOne(call: Call<unknown>): void {
    const { index } = this.step
    if (index < 0) this.run.contextCallStarted()
    const asked = this.asked ?? (index < 0 ? this.startAsking() : undefined)
    if (asked === undefined) this.send(call, 0, this)
    else
      asked.send(call, {
        resolve: value => this.#take(value),
        reject: error => this.settleFailure(error),
      })
  }

  #skip(): void {
    const { kind, fallback } = this.step
    const tally = this.asked?.tally()
    if (kind === 'optional') this.end(fallback, 'skipped', undefined, tally)
    else if (kind === 'each' || kind === 'pages') this.end([], 'skipped', undefined, tally ?? noCalls)
    else this.fail(new TypeError(skipFault(this.step)))
  }

  /** Ends the step with a value that its function returned, or with the answer to a call that it returned. */
  #take(value: unknown): void {
    try {
      if (this.step.isFrozen) deepFreeze(value)
    } catch (error) {
      return this.settleFailure(error)
    }
    const asked = this.asked
    if (asked === undefined) this.end(value, 'ok')
    else {
      const { state, code, tally } = asked.outcome(this.step.index < 0)
      this.end(value, state, code, tally)
    }
  }

  #sendAll(returned: unknown): void {
    const { step } = this
    let calls: readonly Item[]
    try {
      calls = readCallList(step, returned, this.hasUpstreamInput)
    } catch (error) {
      // A list that violates its bounds fails the step. `minSuccess` tolerates only failed calls.
      return this.fail(error)
    }
    const group = startCallGroup({
      step,
      calls,
      omitted: (returned as readonly unknown[]).length - calls.length,
      send: this.senderOfList(calls),
      done: (value, tally, state) => this.#endList(value, tally, state),
      fail: (error, tally) => this.#failList(error, tally),
      itemEnded: step.kind === 'each' ? itemListener(this.run, step) : undefined,
    })
    this.setList(group)
  }

  #sendPages(returned: unknown, args: object): void {
    const { step, run, abort } = this
    const pages = new PageRun({
      step,
      run,
      abort,
      args,
      send: this.senderOfPages(),
      done: (value, tally, state) => this.#endList(value, tally, state),
      fail: (error, tally) => this.#failList(error, tally),
    })
    this.setList(pages)
    pages.start(returned)
  }

  /** Ends the step with the value of a list. The step is stale if a call of the list or an asked call is stale. */
  #endList(value: unknown, tally: CallCounts, state: State): void {
    this.end(value, state === 'ok' && this.asked?.isStale === true ? 'stale' : state, undefined, this.tallyOf(tally))
  }

  #failList(error: unknown, tally: CallCounts): void {
    if (!this.hasEnded) this.fail(this.attribute(error), this.tallyOf(tally))
  }

  /** Ends a step that makes one call with the answer to that call. */
  resolve(_index: number, value: unknown, cached: Cached | undefined): void {
    if (cached?.insteadOf === undefined) this.end(value, 'ok')
    else this.end(value, 'stale', cached.insteadOf.code)
  }

  reject(_index: number, error: unknown): void {
    this.settleFailure(error)
  }
}
