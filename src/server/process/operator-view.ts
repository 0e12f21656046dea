import type { Watched } from '../../definitions/watch.ts'
import type { ExplanationSource } from '../../http/operator/explain-route.ts'
import type { RunSource } from '../../kept/run-source.ts'
import type { MetricsSource } from '../../metrics/source.ts'

/** The sources of what the operator sees. They change when another process serves. */
export interface OperatorView {
  explainer: ExplanationSource
  /** The kept runs; `undefined` if runs are not kept. */
  runs: RunSource | undefined
  metrics: MetricsSource
  /** Returns the number of log lines that the service has lost. */
  lostLogLines: () => number
  /** The files of the definitions. */
  files: Watched
}
