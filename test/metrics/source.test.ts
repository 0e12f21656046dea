import { test } from 'tap'
import { createMetricsSource } from '../../src/metrics/source.ts'
import { someTables } from './helpers/tables.ts'

test('a source renders in the format of the accept header, and says which', async t => {
  const { calls, tables } = someTables()
  calls.add(calls.slot('cats', 'OK'), 1)
  const source = createMetricsSource(async () => tables)
  const text = await source.render()
  t.equal(text.contentType, 'text/plain; version=0.0.4; charset=utf-8')
  t.match(text.body, /^headwaters_calls_total\{upstream="cats",code="OK"\} 1\n$/m)
  const openmetrics = await source.render('application/openmetrics-text')
  t.equal(openmetrics.contentType, 'application/openmetrics-text; version=1.0.0; charset=utf-8')
  t.ok(openmetrics.body.endsWith('# EOF\n'))
})

test('requests at the same time share one collection per format, and collections do not overlap', async t => {
  const { calls, tables } = someTables()
  let collections = 0
  let running = 0
  const source = createMetricsSource(async () => {
    t.equal(++running, 1)
    calls.add(calls.slot('cats', 'OK'), 1)
    collections++
    await new Promise(resolve => {
      setImmediate(resolve)
    })
    running--
    return tables
  })
  const all = await Promise.all([
    source.render(),
    source.render('text/plain'),
    source.render('application/openmetrics-text'),
    source.render('*/*'),
    source.render('application/openmetrics-text;version=1.0.0'),
  ])
  t.equal(collections, 2)
  t.equal(new Set(all).size, 2)
  await source.render()
  t.equal(collections, 3, 'a later request collects again')
})

test('a collection that fails rejects its requests, and the next one works', async t => {
  const faults = [new Error('one'), new Error('two')]
  const source = createMetricsSource(async () => {
    const fault = faults.shift()
    if (fault !== undefined) throw fault
    return []
  })
  await t.rejects(Promise.all([source.render(), source.render()]), { message: 'one' })
  await t.rejects(source.render('application/openmetrics-text'), { message: 'two' })
  t.match(await source.render(), { body: '' })
})
