import { UpstreamError } from '../../errors.ts'
import type { Cached } from '../cached.ts'
import type { LiveCall } from '../call.ts'
import { codeOf, verdictOf } from '../verdict.ts'
import type { Layer } from './layer.ts'

/** What has come of an upstream's calls since the runtime began. */
export interface Counts {
  calls: number
  ok: number
  /** Failed in a way that says something about the upstream. */
  failed: number
  /** Ended for other reasons: refused by us, given up by the caller, refused as a bad question. */
  ignored: number
  attempts: number
  /** Time spent waiting for a slot, all calls together, in ms. */
  waitedMs: number
}

/** Counts every call by how it ended, and reports that end to its run; outermost, so that it sees refusals and waiting too. */
export function observe (counts: Counts): Layer {
  return next => call => {
    counts.calls++
    return next(call).then(answer => {
      counts.ok++
      const { cached } = answer
      ended(counts, call, cached?.insteadOf === undefined ? answer.status : cached.insteadOf.upstreamStatus, undefined, undefined, cached)
      return answer
    }, error => {
      counts[verdictOf(error, call.effort.sent)]++
      const failure = error instanceof UpstreamError ? error : undefined
      ended(counts, call, failure?.upstreamStatus, codeOf(error, call), failure, undefined)
      throw error
    })
  }
}

function ended (counts: Counts, call: LiveCall<unknown>, status: number | undefined, code: string | undefined, error: UpstreamError | undefined, cached: Cached | undefined): void {
  const { effort: { attempts, waitedMs }, scope, step, index } = call
  counts.attempts += attempts
  counts.waitedMs += waitedMs
  scope.emit({ type: 'call ended', at: scope.now(), step, call: index, attempts, status, code, error, cached })
}
