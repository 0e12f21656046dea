import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { PerformanceObserver } from 'node:perf_hooks'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { test } from 'tap'
import { collectProcessMetrics } from '../../src/metrics/process-metrics.ts'
import { renderTables } from '../../src/metrics/render.ts'
import { elapsed, until } from '../helpers/until.ts'
import { parseExposition, type ParsedFamily } from './helpers/exposition.ts'
import { promtoolComplaints, whyNoPromtool } from './helpers/promtool.ts'

setFlagsFromString('--expose-gc')
const collectGarbage = runInNewContext('gc') as () => void

async function families(): Promise<{ readonly text: string; readonly of: (name: string) => ParsedFamily | undefined }> {
  const text = await renderTables(await collectProcessMetrics(), 'prometheus')
  const parsed = parseExposition(text)
  return { text, of: name => parsed.find(family => family.name === name) }
}

test('process metrics have CPU time, memory, heap, garbage collection and the delay of the event loop', async t => {
  await collectProcessMetrics()
  const observed = new Promise(resolve => {
    new PerformanceObserver(resolve).observe({ entryTypes: ['gc'] })
  })
  collectGarbage()
  await observed
  // The delay is measured with a timer of 10 ms, and each scrape begins a new measurement.
  await until(async () => {
    await elapsed(50)
    return (await families()).of('nodejs_eventloop_lag_p99_seconds') !== undefined
  })
  const { of } = await families()
  const value = (name: string) => of(name)?.samples[0]?.value ?? Number.NaN
  t.ok(value('process_cpu_seconds_total') > 0)
  t.ok(value('process_resident_memory_bytes') > 20e6)
  t.ok(value('nodejs_heap_size_used_bytes') > 1e6)
  t.ok(value('process_start_time_seconds') > 1.7e9)
  for (const name of ['mean', 'max', 'p50', 'p90', 'p99']) {
    const seconds = value(`nodejs_eventloop_lag_${name}_seconds`)
    t.ok(seconds >= 0 && seconds < 60, `${name} ${seconds}`)
  }
  t.match(of('nodejs_heap_space_size_used_bytes')?.samples, [{ labels: { space: /^\w+$/ } }])
  t.match(of('nodejs_version_info')?.samples, [{ labels: { version: process.version }, value: 1 }])
})

test('the buckets of garbage collection are those of the library', async t => {
  collectGarbage()
  const majorSamples = async () => {
    const { samples = [] } = (await families()).of('nodejs_gc_duration_seconds') ?? {}
    return samples.filter(({ labels }) => labels['kind'] === 'major')
  }
  await until(async () => (await majorSamples()).length > 0)
  const major = await majorSamples()
  t.same(
    major.map(({ labels: { le } }) => le),
    ['0.001', '0.01', '0.1', '1.0', '2.0', '5.0', '+Inf', undefined, undefined],
  )
  const counts = major.filter(({ name }) => name.endsWith('_bucket')).map(({ value }) => value)
  t.ok(counts.every((count, at) => count >= (counts[at - 1] ?? 0)))
  t.equal(major.find(({ name }) => name.endsWith('_count'))?.value, counts.at(-1))
})

test('two collections in a row have no value that is not finite', async t => {
  for (let time = 0; time < 3; time++) {
    const { text } = await families()
    t.notMatch(text, /NaN|Inf\b(?!"})|9223372036/)
  }
})

test('process metrics have a constant number of series', async t => {
  const count = async () => (await collectProcessMetrics()).map(({ family, labels }) => [family.name, labels.length])
  const before = await count()
  collectGarbage()
  for (let at = 0; at < 20; at++) setTimeout(() => {}, 1).unref()
  const after = await count()
  t.same(
    after.filter(([name]) => !String(name).includes('lag')),
    before.filter(([name]) => !String(name).includes('lag')),
  )
  t.notOk(after.some(([name]) => /active_(?:handles|requests|resources)/.test(String(name))))
})

test('promtool has no complaint about the process metrics', { skip: whyNoPromtool() }, async t => {
  t.equal(promtoolComplaints((await families()).text), '')
})

test('the library is loaded with the first scrape, not with the service', async t => {
  const script = `
    const { createRequire } = await import('node:module')
    const { buildApp } = await import('./src/app.ts')
    await import('./src/index.ts')
    await import('./src/server/serve.ts')
    await import('./src/server/cluster/worker-main.ts')
    await import('./src/server/cluster/primary.ts')
    const isLoaded = () => Object.keys(createRequire(import.meta.url).cache).some(file => file.includes('@prometheus-io'))
    const app = buildApp([], { metrics: true })
    await app.ready()
    const before = isLoaded()
    const { statusCode } = await app.inject('/metrics')
    console.log(JSON.stringify([before, statusCode, isLoaded()]))
    await app.close()`
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    cwd: join(import.meta.dirname, '../..'),
    encoding: 'utf8',
  })
  t.equal(stderr, '')
  t.same(JSON.parse(stdout), [false, 200, true])
})

test('docs/metrics.md has each metric of the process', async t => {
  const page = readFileSync(join(import.meta.dirname, '../../docs/metrics.md'), 'utf8')
  const [, table = ''] = page.split('| metric of the library |')
  const names = Array.from(table.split('\n\n')[0]?.matchAll(/^\| (`[^|]+) \|/gm) ?? [], ([, cell = '']) =>
    cell.split(', ').map(name => name.replaceAll('`', '')),
  ).flat()
  t.same(new Set(names), new Set((await collectProcessMetrics()).map(({ family }) => family.name)))
})
