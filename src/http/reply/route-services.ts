import type { OnEvent } from '../../fanout/events.ts'
import type { Runtime } from '../../upstream/runtime.ts'
import type { RequestCounter } from '../metrics/request-counter.ts'
import type { CompleteRunSampler } from '../log/complete-run.ts'
import type { LoggedWarnings } from './cache-control.ts'

/** The load of the service. Runs count themselves in it, and it decides whether they shed their optional steps. */
export interface LoadGauge {
  /** Runs in flight; each run counts itself in and out. */
  runs: number
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
}
