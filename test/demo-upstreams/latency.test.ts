import { test } from 'tap'
import { createLatency } from '../../src/demo-upstreams/latency.ts'

function draw(count: number, options: Parameters<typeof createLatency>[0]): number[] {
  const nextDelayMs = createLatency(options)
  return Array.from({ length: count }, () => nextDelayMs())
}

test('half of the delays are near the median and a few are long, but none beyond the maximum', async t => {
  for (const seed of [1, 2, 3]) {
    const delays = draw(10_000, { seed }).sort((one, other) => one - other)
    const median = delays[5000] ?? 0
    const slow = delays.filter(delayMs => delayMs > 120).length / delays.length
    t.ok(median > 13 && median < 17, `median ${median}`)
    t.ok(slow > 0.006 && slow < 0.014, `share of slow answers ${slow}`)
    t.ok(delays.every(delayMs => delayMs > 0 && delayMs <= 300))
  }
})

test('the median and the maximum can be chosen', async t => {
  const delays = draw(2000, { seed: 1, medianMs: 4, maxMs: 20 }).sort((one, other) => one - other)
  t.ok(Math.abs((delays[1000] ?? 0) - 4) < 0.6)
  t.equal(delays.at(-1), 20)
})

test('two draws with one seed give the same delays, another seed gives others', async t => {
  t.same(draw(100, { seed: 7 }), draw(100, { seed: 7 }))
  t.notSame(draw(100, { seed: 7 }), draw(100, { seed: 8 }))
})

test('a median of 0 gives no delay', async t => {
  t.same(draw(3, { seed: 1, medianMs: 0 }), [0, 0, 0])
})
