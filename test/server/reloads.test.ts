import { test } from 'tap'
import { ConfigError } from '../../src/config.ts'
import { Metrics } from '../../src/metrics/metrics.ts'
import { Reloads, type ReloadsOptions } from '../../src/server/process/reloads.ts'
import { watchFiles } from '../../src/server/process/watch-files.ts'
import { until } from '../helpers/until.ts'

/** The reloads of a service, and the lines that they log. */
function arrange(options: Partial<ReloadsOptions> = {}) {
  const lines: unknown[] = []
  const line = (fields: unknown, text?: string) => lines.push(text === undefined ? fields : [text, fields])
  const log = { info: line, error: line } as never
  const refused: unknown[] = []
  const reloads = new Reloads({
    log,
    metrics: new Metrics(),
    reload: async () => ({}),
    onRefused: each => refused.push(each),
    ...options,
  })
  return { reloads, lines, refused }
}

test('requests during a reload cause one more reload, and resolve after it', async t => {
  const started: (() => void)[] = []
  const { reloads, lines } = arrange({
    reload: () => new Promise(resolve => started.push(() => resolve({ time: started.length }))),
  })
  const requests = [reloads.request()]
  await until(() => started.length === 1)
  requests.push(reloads.request(), reloads.request())
  started[0]?.()
  await until(() => started.length === 2)
  started[1]?.()
  await Promise.all(requests)
  t.same(lines, [
    ['definitions reloaded', { time: 1 }],
    ['definitions reloaded', { time: 2 }],
  ])
})

test('a reload that fails is refused with the number of its faults, and an error counts as one fault', async t => {
  let error: Error = new ConfigError('A: is wrong\nB: is wrong')
  const { reloads, lines, refused } = arrange({
    reload: async () => {
      throw error
    },
  })
  await reloads.request()
  error = new Error('not expected')
  await reloads.request()
  const text = 'reload failed; the previous definitions are still served'
  t.same(lines, [
    [text, { faults: ['A: is wrong', 'B: is wrong'] }],
    [text, { err: error }],
  ])
  t.match(refused, [{ faults: 2 }, { faults: 1 }])
  t.match(reloads.definitions, { loadedAt: String, refused: { faults: 1 } })
})

test('a restart of all workers shows the definitions as loaded, unless a reload was refused during the restart', async t => {
  const { reloads } = arrange({ reload: () => Promise.reject(new ConfigError('A: is wrong')) })
  await reloads.request()
  const at = Date.parse(reloads.definitions.refused?.at as string)
  reloads.restarted(at)
  t.match(reloads.definitions, { refused: { faults: 1 } })
  reloads.restarted(at + 1)
  t.equal(reloads.definitions.refused, undefined)
})

test('a reload that fails because the service ends is neither logged nor shown, and no other one begins', async t => {
  const started: ((error: Error) => void)[] = []
  const { reloads, lines, refused } = arrange({ reload: () => new Promise((_, reject) => started.push(reject)) })
  const requests = [reloads.request(), reloads.request()]
  await until(() => started.length === 1)
  reloads.end()
  started[0]?.(new Error('the worker gave no answer'))
  await Promise.all([...requests, reloads.request()])
  t.equal(started.length, 1)
  t.same([lines, refused, reloads.definitions.refused], [[], [], undefined])
})

test('files that cannot be watched are a refused reload', async t => {
  const { reloads } = arrange({ onRefused: undefined as never })
  const folders = () => {
    throw new Error('too many open files')
  }
  const stop = await watchFiles({ folders, changed: () => false }, reloads, { warn() {} })
  await until(() => reloads.definitions.refused !== undefined)
  stop()
  t.equal(reloads.definitions.refused?.faults, 1)
})
