import { test } from 'tap'
import { collectProcessMetrics } from '../../src/metrics/process-metrics.ts'

test('a process without measured CPU time has its counters with the value 0', async t => {
  // A process that has just started can have used less than the system measures.
  process.cpuUsage = () => ({ user: 0, system: 0 })
  const tables = await collectProcessMetrics()
  for (const name of [
    'process_cpu_user_seconds_total',
    'process_cpu_system_seconds_total',
    'process_cpu_seconds_total',
  ]) {
    const table = tables.find(({ family }) => family.name === name)
    t.equal(table?.values[0], 0, name)
    t.equal(table?.isUsed(0), true, name)
  }
})
