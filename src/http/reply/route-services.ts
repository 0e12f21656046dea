import type { OnEvent } from '../../fanout/events.ts'
import type { RunKeeper } from '../../fanout/run-timeline.ts'
import type { SourcesLevel } from '../../fanout/sources-level.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import type { RequestCounter } from '../metrics/request-counter.ts'
import type { CompleteRunSampler } from '../log/complete-run.ts'
import type { LoggedWarnings } from './cache-control.ts'

/** The runs of the service. Each run counts itself. */
export interface RunCounts {
  /** Runs in flight. */
  runs: number
  /** Runs that have ended and were not refused. */
  served: number
  /** Runs that a full upstream has refused. */
  refused: number
}

/** The load of the service. It decides whether runs shed their optional steps. */
export interface LoadGauge extends RunCounts {
  /** True if a run that starts now leaves out its optional steps. */
  readonly shedOptional: boolean
}

/** The services that the routes of one registration share. */
export interface RouteServices {
  readonly runtime: Runtime
  readonly load: LoadGauge | undefined
  /** Called with each event of each run. It never throws. */
  readonly onEvent: OnEvent | undefined
  readonly loggedWarnings: LoggedWarnings
  readonly requests: RequestCounter
  /** The share of new traces that are marked as sampled, from 0 to 100. */
  readonly traceSampledPercent: number
  readonly completeRuns: CompleteRunSampler
  /** The part of the outcomes that callers see, for aggregates without a level of their own. */
  readonly sources: SourcesLevel
  /** True if the header `x-headwaters-fault` of a request acts on its run. */
  readonly rehearsal: boolean
  /** Follows each run for the operator; undefined if runs are not kept. */
  readonly keeper: RunKeeper | undefined
}
