import { join } from 'node:path'
import { test } from 'tap'
import { readAlerts, readPanelQueries, readText } from '../helpers/ops-files.ts'
import { prometheusMissing, promtool } from '../helpers/prometheus.ts'

const root = join(import.meta.dirname, '../..')

test('promtool finds no fault in the alert rules', { skip: prometheusMissing }, async t => {
  t.match(promtool(['check', 'rules', '--lint-fatal', join(root, 'ops/prometheus/alerts.yaml')]), { code: 0 })
})

test('promtool finds no fault in the scrape configuration', { skip: prometheusMissing }, async t => {
  t.match(promtool(['check', 'config', '--syntax-only', join(root, 'ops/prometheus/prometheus.yaml')]), { code: 0 })
})

test('each alert has its own section in the runbook, and each section of an alert has its alert', async t => {
  const sections = [...readText('docs/runbook.md').matchAll(/^## (Headwaters\w+)$/gm)].map(([, name]) => name)
  const alerts = readAlerts()
  t.same(
    alerts.map(({ alert }) => alert),
    sections,
  )
  for (const { alert, annotations } of alerts) t.equal(annotations.runbook, `docs/runbook.md#${alert.toLowerCase()}`)
})

test('each alert says in its annotation what is wrong, and has a severity', async t => {
  for (const { alert, labels, annotations } of readAlerts()) {
    t.match(labels.severity, /^(page|ticket)$/, alert)
    t.match(annotations.summary, /\{\{ \$(labels|value)/, alert)
  }
})

test('each metric of a query in ops/ and in the runbook is a documented family', async t => {
  const documented = new Set([...readText('docs/metrics.md').matchAll(/`([a-z][a-z0-9_]+)`/g)].map(([, name]) => name))
  const texts = [
    ...readAlerts().map(({ expr }) => expr),
    ...readPanelQueries().map(({ expression }) => expression),
    ...[...readText('docs/runbook.md').matchAll(/`([^`]+)`/g)].map(([, code]) => code as string),
  ]
  const names = texts.flatMap(
    text => text.match(/\b(headwaters|http_server|http_client|dns|nodejs|process)_[a-z0-9_]+/g) ?? [],
  )
  const unknown = names
    .map(name => name.replace(/_(bucket|count|sum)$/, ''))
    .filter(name => !/^http_(response|connection|request)_/.test(name) && !documented.has(name))
  t.same([...new Set(unknown)], [])
})
