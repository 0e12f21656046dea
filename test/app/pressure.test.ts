import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { buildApp } from '../../src/app.ts'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { createPressureGauge, defaultPressureLimits } from '../../src/http/guard/pressure.ts'
import { listening } from '../helpers/listening.ts'
import { isProblem, type ProblemBody } from '../helpers/problem.ts'
import { until } from '../helpers/until.ts'

test('the level is pressed at four fifths of the limit on runs, and overloaded at the limit', async t => {
  const gauge = createPressureGauge({ ...defaultPressureLimits, runs: 10 })
  for (const [runs, level] of [
    [0, 'calm'],
    [7, 'calm'],
    [8, 'pressed'],
    [9, 'pressed'],
    [10, 'overloaded'],
    [11, 'overloaded'],
    [7, 'calm'],
  ] as const) {
    gauge.runs = runs
    t.equal(gauge.level, level, `${runs} of 10`)
    t.equal(gauge.shedOptional, level !== 'calm')
  }
})

test('without aggregates of high criticality, low requests are refused from 90 % of a limit on, and normal ones at the limit', async t => {
  const gauge = createPressureGauge({ ...defaultPressureLimits, runs: 100 })
  const admitted = (runs: number) => {
    gauge.runs = runs
    return (['low', 'normal'] as const).filter(criticality => gauge.admits(criticality))
  }
  t.same([89, 90, 99, 100].map(admitted), [['low', 'normal'], ['normal'], ['normal'], []])
})

test('with aggregates of high criticality, normal requests are refused from 95 % of a limit on, and high ones at the limit', async t => {
  const gauge = createPressureGauge({ ...defaultPressureLimits, runs: 100, heapPercent: 50 }, true)
  const admitted = () => (['low', 'normal', 'high'] as const).filter(criticality => gauge.admits(criticality))
  for (const [value, classes, level] of [
    [0.79, ['low', 'normal', 'high'], 'calm'],
    [0.89, ['low', 'normal', 'high'], 'pressed'],
    [0.9, ['normal', 'high'], 'pressed'],
    [0.95, ['high'], 'overloaded'],
    [1, [], 'overloaded'],
  ] as const) {
    gauge.runs = value * 100
    t.same([admitted(), gauge.level], [classes, level], `${value} of the runs`)
    gauge.runs = 0
    gauge.updateMemory({ heapPercent: value * 50, memoryPercent: 0 })
    t.same([admitted(), gauge.level], [classes, level], `${value} of the heap`)
    gauge.updateMemory({ heapPercent: 0, memoryPercent: 0 })
  }
})

test('turns of the event loop that stay longer than three limits raise the level, and it falls when the loop is idle', async t => {
  let now = 0
  let endTurn = () => {}
  const gauge = createPressureGauge({ ...defaultPressureLimits, loopDelay: 100 }, false, {
    now: () => now,
    atTurnEnd: callback => {
      endTurn = callback
    },
    busyMs: () => 0,
    permitBacklog: () => 0,
    connections: () => Infinity,
  })
  const turn = (ms: number) => {
    const first = gauge.admits('normal')
    now += ms
    const last = gauge.admits('normal')
    endTurn()
    return [first, last, gauge.level] as const
  }
  t.same(turn(300), [true, true, 'calm'], 'one long turn is a pause')
  for (let turns = 0; turns < 5; turns++) t.same(turn(299), [true, true, 'calm'], 'callers that wait for each other')
  for (let turns = 0; turns < 2; turns++) t.same(turn(300), [true, true, 'calm'], 'a burst')
  t.same(turn(300), [true, false, 'overloaded'], 'no turn was shorter than three limits for five limits')
  t.equal(gauge.shedOptional, true)
  now += 20
  t.same(
    [gauge.admits('normal'), gauge.admits('normal')],
    [true, false],
    'the first request of a turn is admitted, the others have waited too long',
  )
  endTurn()
  t.equal(gauge.sampleLoop(), 300)
  turn(0.1)
  t.ok(gauge.sampleLoop() < 1)
  now += 5000
  gauge.sampleLoop()
  t.equal(gauge.level, 'calm', 'nothing waited for five seconds')
  t.equal(gauge.shedOptional, false)
})

test('a heap that is nearly full raises the level at once', async t => {
  const gauge = createPressureGauge({ ...defaultPressureLimits, loopDelay: 0, heapPercent: 90, memoryPercent: 0 })
  for (const [heapPercent, level] of [
    [71, 'calm'],
    [72, 'pressed'],
    [90, 'overloaded'],
    [50, 'calm'],
  ] as const) {
    gauge.updateMemory({ heapPercent, memoryPercent: 0 })
    t.equal(gauge.level, level, `${heapPercent} %`)
  }
})

test('a pressure limit of 0 is not applied', async t => {
  const gauge = createPressureGauge({ runs: 0, loopDelay: 0, heapPercent: 0, memoryPercent: 0, bodiesBytes: 0 })
  gauge.runs = 1_000_000
  gauge.updateMemory({ heapPercent: 100, memoryPercent: 100 })
  t.equal(gauge.admits('low'), true)
  t.equal(gauge.level, 'calm')
})

/** An app whose runs wait until they are let go. */
async function holding(t: Test, runs: number) {
  let release = () => {}
  const held = new Promise<string>(resolve => {
    release = () => resolve('done')
  })
  let begun = 0
  const slow = aggregate('slow', { url: '/v1/slow', deadline: 20_000, body: z.unknown().optional(), method: 'POST' })
    .required('wait', () => {
      begun++
      return held
    })
    .optional('extra', () => 'there', { fallback: 'left out' })
    .reply(z.unknown(), ({ wait, extra }) => ({ wait, extra }))
  const app = buildApp([slow], { pressure: { runs, loopDelay: 0, heapPercent: 0, memoryPercent: 0 } })
  const ask = await listening(t, app)
  const start = async () => {
    const before = begun
    const answer = ask<{
      readonly data: { readonly extra: string }
      readonly complete: boolean
      readonly sources: object
    }>('/v1/slow', { method: 'POST' })
    await until(() => begun !== before)
    return { answer }
  }
  return { app, ask, start, release }
}

test('only a run that starts under pressure sheds its optional steps', async t => {
  const { ask, start, release } = await holding(t, 5)
  const running = []
  for (let times = 0; times < 5; times++) running.push(await start())
  release()
  const answers = await Promise.all(running.map(({ answer }) => answer))
  t.same(
    answers.map(({ status, body }) => [status, body.complete, body.data.extra]),
    [...Array.from({ length: 4 }, () => [200, true, 'there']), [200, false, 'left out']],
  )
  t.match(answers[4]?.body.sources, { wait: { state: 'ok' }, extra: { state: 'fallback', code: 'SHED' } })
  t.match(await ask('/v1/slow', { method: 'POST' }), { status: 200, body: { complete: true } })
})

test('an overloaded app refuses requests to aggregates only, and recovers', async t => {
  const { ask, start, release } = await holding(t, 2)
  const running = [await start(), await start()]
  const refused = await ask<ProblemBody>('/v1/slow', { method: 'POST' })
  isProblem(t, refused, 503, 'OVERLOADED')
  t.equal(refused.headers.get('retry-after'), '1')
  for (const path of ['/health/live', '/health/ready', '/openapi.json', '/docs'])
    t.equal((await ask(path)).status, 200, path)
  release()
  for (const { answer } of running) t.equal((await answer).status, 200)
  t.equal((await ask('/v1/slow', { method: 'POST' })).status, 200)
})

test('a run whose caller closes the connection no longer counts, though its step still waits', async t => {
  const { app, ask, start, release } = await holding(t, 2)
  await start()
  const port = (app.server.address() as { readonly port: number }).port
  const socket = connect(port, '127.0.0.1')
  socket.write('POST /v1/slow HTTP/1.1\r\nhost: a\r\n\r\n')
  /** The code of a run that starts and is out of time at once, or is refused. */
  const codeOf = async () =>
    (await ask<ProblemBody>('/v1/slow', { method: 'POST', headers: { 'x-request-timeout-ms': '1' } })).body.code
  await until(async () => (await codeOf()) === 'OVERLOADED')
  t.equal(await codeOf(), 'OVERLOADED', 'the limit of two runs stays reached')
  socket.destroy()
  await until(async () => (await codeOf()) === 'DEADLINE_EXCEEDED')
  const { answer } = await start()
  release()
  t.equal((await answer).status, 200, 'a run has its place')
})

for (const [what, head, isKept] of [
  ['with a body that is small', 'content-length: 10', true],
  ['without a body', 'content-length: 0', true],
  ['with a body that is large', 'content-length: 1000000', false],
  ['with a body of no length', 'transfer-encoding: chunked', false],
] as const) {
  test(`a request ${what} is refused before its body is received, and its connection is ${isKept ? 'kept' : 'closed'}`, async t => {
    const { app, start, release } = await holding(t, 1)
    const { answer } = await start()
    const socket = connect((app.server.address() as { readonly port: number }).port, '127.0.0.1')
    t.teardown(() => socket.destroy())
    const heard = text(socket)
    socket.write(`POST /v1/slow HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\n${head}\r\n\r\n`)
    await new Promise(resolve => {
      socket.once('readable', resolve)
    })
    if (isKept) {
      if (head.endsWith('10')) socket.write('0123456789')
      socket.end('GET /health/live HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n')
    }
    const all = await heard
    t.match(all, /^HTTP\/1\.1 503 [^]*"code":"OVERLOADED"/)
    t.equal(/\r\nconnection: close\r\n[^]*OVERLOADED/i.test(all), !isKept)
    t.equal(all.endsWith('{"status":"live"}'), isKept)
    release()
    await answer
  })
}

test('a blocked event loop overloads the app, and it recovers', async t => {
  const quick = aggregate('quick', { url: '/quick' })
    .required('now', () => 1)
    .reply(z.number(), ({ now }) => now)
  const logged: string[] = []
  const ask = await listening(
    t,
    buildApp([quick], {
      pressure: { runs: 0, loopDelay: 5, heapPercent: 0, memoryPercent: 0 },
      logger: {
        level: 'warn',
        stream: {
          write: (line: string) => {
            logged.push(line)
          },
        },
      },
    }),
  )
  let hold = true
  const block = () => {
    const until = performance.now() + 100
    while (performance.now() < until);
    if (hold) setImmediate(block)
  }
  block()
  const levels = () =>
    logged
      .map(line => JSON.parse(line) as { readonly msg: string; readonly pressure: string })
      .filter(({ msg }) => msg === 'load level changed')
      .map(({ pressure }) => pressure)
  // The first request of a turn is admitted, so several are sent at once.
  const someRefused = async () =>
    (await Promise.all([ask('/quick'), ask('/quick'), ask('/quick')])).some(({ status }) => status === 503)
  await until(async () => (await someRefused()) && levels().includes('overloaded'))
  hold = false
  await until(async () => (await ask('/quick')).status === 200)
  await until(() => levels().at(-1) === 'calm', { seen: levels })
  t.equal(levels().at(-1), 'calm', `refused while it was held up, answered after that: ${levels().join(', ')}`)
})

test('a heap above its limit makes the app refuse aggregates, and /health/ready stays 200', async t => {
  const quick = aggregate('quick', { url: '/quick' })
    .required('now', () => 1)
    .reply(z.number(), ({ now }) => now)
  const ask = await listening(
    t,
    buildApp([quick], { pressure: { runs: 0, loopDelay: 0, heapPercent: 0.001, memoryPercent: 0 } }),
  )
  await until(async () => (await ask('/quick')).status === 503)
  isProblem(t, await ask<ProblemBody>('/quick'), 503, 'OVERLOADED')
  t.equal((await ask('/health/ready')).status, 200)
})
