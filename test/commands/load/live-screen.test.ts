import { stripVTControlCharacters } from 'node:util'
import { test } from 'tap'
import { readLoadOptions, type LoadOptions } from '../../../src/commands/load/options.ts'
import type { Progress } from '../../../src/commands/load/live-screen.ts'
import { drawScreen } from '../../../src/commands/load/live-screen.ts'
import { sparkline } from '../../../src/commands/load/format.ts'
import { createMetrics } from '../../../src/commands/load/metrics.ts'

const look = { color: false, unicode: true }

function progress(): Progress {
  const options = readLoadOptions([
    'http://127.0.0.1:3000/v1/cat-facts?count=5',
    '--rate',
    '500',
    '--connections',
    '50',
    '--duration',
    '18s',
  ]) as LoadOptions
  const { metrics, observer, takeInterval } = createMetrics(0, 20_000)
  const ended = (ms: number, outcome: Parameters<typeof observer.onEnded>[2]) => {
    const request = { dueAt: 1000, sentAt: 1000, sendableAt: 1000 }
    observer.onSent(request)
    observer.onEnded(request, 1000 + ms, outcome)
  }
  for (let ms = 10; ms < 20; ms++) ended(ms, { status: 200, reply: 'whole', bytes: 100 })
  ended(40, { status: 200, reply: 'partial', bytes: 100 })
  ended(0.3, { status: 503, reply: 'refused', bytes: 100 })
  ended(2, { status: 502, reply: 'failed', bytes: 100 })
  ended(5000, { error: 'timed out' })
  return {
    options,
    metrics,
    elapsedMs: 12_000,
    inFlight: 7,
    waiting: 3,
    lastSecond: takeInterval(),
    p99History: [10, 20, NaN, 40],
  }
}

test('all there is to see is drawn', async t => {
  t.same(drawScreen(progress(), 80, look), [
    'GET http://127.0.0.1:3000/v1/cat-facts?count=5',
    'open loop, 500/s over 50 connections',
    '',
    `12 of 20 s, counting      ${'━'.repeat(30)}${'─'.repeat(20)}`,
    '',
    '                  sent  answered    p50 ms    p99 ms    max ms',
    'last second         14        13      14.0      40.0      40.0',
    'so far              14        13      14.0      5001      5001',
    '',
    'in flight            7   waiting 3',
    'p99 by s      ▃▅ █',
    'answers       whole 10  partial 1  refused 1  failed 1',
    'statuses      200: 11, 503: 1, 502: 1',
    'errors        timed out 1',
  ])
})

test('before anything has happened there is nothing to say', async t => {
  const { options } = progress()
  const { metrics } = createMetrics(0, 20_000)
  const lines = drawScreen(
    { options, metrics, elapsedMs: 0, inFlight: 0, waiting: 0, lastSecond: undefined, p99History: [] },
    80,
    look,
  )
  t.equal(lines[3], `0 of 20 s, warming up     ${'─'.repeat(50)}`)
  t.same(lines.slice(6, 8), ['last second', 'so far               0         0         -         -         -'])
  t.same(lines.slice(10), ['p99 by s', 'answers', 'statuses', 'errors'])
})

test('no line is as wide as the terminal, with colours or without', async t => {
  for (const columns of [30, 50, 80, 200]) {
    for (const color of [false, true]) {
      const lines = drawScreen(progress(), columns, { color, unicode: true }).map(stripVTControlCharacters)
      t.ok(
        lines.every(line => line.length < columns),
        `${columns}`,
      )
      t.equal(lines.length, 14)
    }
  }
})

test('where there is no room for a number it is left out, and not cut', async t => {
  const lines = drawScreen(progress(), 50, look)
  t.same(lines.slice(5, 7), [
    '                  sent  answered    p50 ms',
    'last second         14        13      14.0',
  ])
})

test('after the duration it says that it waits for the rest', async t => {
  t.match(drawScreen({ ...progress(), elapsedMs: 21_000 }, 80, look)[3], `21 of 20 s, ending        ${'━'.repeat(50)}`)
})

test('without unicode all of it is ASCII', async t => {
  const lines = drawScreen(progress(), 80, { color: false, unicode: false })
  t.ok(
    lines.every(line => /^[ -~]*$/.test(line)),
    lines.join('\n'),
  )
  t.match(lines[3], /=+-+$/)
})

test('failures are red, refusals and partial replies yellow', async t => {
  const lines = drawScreen(progress(), 80, { color: true, unicode: true })
  t.match(
    lines[11],
    'answers       \x1b[32mwhole 10\x1b[0m  \x1b[33mpartial 1\x1b[0m  \x1b[33mrefused 1\x1b[0m  \x1b[31mfailed 1\x1b[0m',
  )
  t.match(lines[13], '\x1b[31mtimed out 1\x1b[0m')
})

test('a sparkline is as high as its highest value', async t => {
  t.equal(sparkline([0, 1, 2, 3, 4, 5, 6, 7, 8], true), '▁▂▃▄▅▆▇██')
  t.equal(sparkline([0, 8], false), '_@')
  t.equal(sparkline([NaN, 5], true), ' █')
  t.equal(sparkline([NaN], true), ' ')
  t.equal(sparkline([0], true), '▁')
  t.equal(sparkline([], true), '')
})
