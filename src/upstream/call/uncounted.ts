import { Metrics } from '../../metrics/metrics.ts'
import { OperationMetrics, WaitMetrics } from '../../metrics/operation-metrics.ts'

const metrics = new Metrics()

/** The metrics of a call before it has reached its client. No runtime collects them. */
export const uncounted = new OperationMetrics(metrics, new WaitMetrics(metrics, ''), {
  upstream: '',
  operation: '',
  urlTemplate: '',
  method: '',
  address: '',
  port: '',
  maxAttempts: 1,
})
