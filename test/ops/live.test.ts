import { test } from 'tap'
import { readAlerts, readPanelQueries } from '../helpers/ops-files.ts'
import { prometheusMissing, startPrometheus } from '../helpers/prometheus.ts'
import { startEventfulService } from './helpers/eventful-service.ts'

/** The part of an alert's expression before its threshold. */
const threshold = / *(?:>|<|==) *[\d.]+\s*$/

test(
  'each expression of a panel and of an alert returns series of a live scrape',
  { skip: prometheusMissing },
  async t => {
    const service = await startEventfulService(t)
    const prometheus = await startPrometheus(t, { target: service.target })
    await prometheus.scraped(1)
    await service.cause()
    await prometheus.scraped(2)
    // A rate needs two samples after the first count of a series.
    await service.cause()
    await prometheus.scraped(8)
    for (const { panel, expression } of readPanelQueries())
      t.not((await prometheus.query(expression)).length, 0, `${panel}: ${expression}`)
    for (const { alert, expr } of readAlerts()) {
      t.match(expr, threshold, `the alert ${alert} ends with its threshold`)
      t.not((await prometheus.query(expr.replace(threshold, ''))).length, 0, `${alert}: ${expr}`)
    }
  },
)
