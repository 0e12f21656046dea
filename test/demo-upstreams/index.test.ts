import { test } from 'tap'
import { startDemoUpstreams } from '../../src/demo-upstreams/index.ts'
import type { DemoUpstreamsOptions } from '../../src/demo-upstreams/index.ts'

async function statuses(origin: string, count: number): Promise<number[]> {
  const found = []
  for (let number = 0; number < count; number += 1) {
    const response = await fetch(`${origin}/fact`).catch(() => undefined)
    await response?.text()
    found.push(response?.status ?? 0)
  }
  return found
}

test('four demo upstreams start on the loopback, each on its own port', async t => {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  t.teardown(() => demoUpstreams.close())
  t.same(Object.keys(demoUpstreams.origins), ['catfact-ninja', 'meowfacts', 'the-cat-api', 'wikipedia'])
  t.equal(new Set(Object.values(demoUpstreams.origins)).size, 4)
  for (const origin of Object.values(demoUpstreams.origins)) t.match(origin, /^http:\/\/127\.0\.0\.1:\d+$/)
})

test('the default start answers well, though not at once', async t => {
  const demoUpstreams = await startDemoUpstreams()
  t.teardown(() => demoUpstreams.close())
  const before = performance.now()
  t.same(
    await statuses(demoUpstreams.origins['catfact-ninja'], 20),
    Array.from({ length: 20 }, () => 200),
  )
  t.ok(performance.now() - before > 100)
})

test('two starts with one seed give the same answers, another seed gives others', async t => {
  async function answers(options: DemoUpstreamsOptions) {
    const { origins, close } = await startDemoUpstreams({ medianMs: 0, ...options })
    const bodies = []
    for (const url of [
      `${origins['catfact-ninja']}/fact`,
      `${origins.meowfacts}/?count=3`,
      `${origins['the-cat-api']}/v1/images/search?has_breeds=1`,
      `${origins.wikipedia}/api/rest_v1/page/summary/Cat`,
    ])
      bodies.push(await (await fetch(url)).text())
    await close()
    return bodies
  }
  t.same(await answers({ seed: 5 }), await answers({ seed: 5 }))
  t.same(await answers({}), await answers({ seed: 1 }))
  const one = await answers({ seed: 5 })
  const other = await answers({ seed: 6 })
  t.ok(one.every((body, index) => body !== other[index]))
})

test('the fault rate reaches all demo upstreams', async t => {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0, faultRate: 1 })
  t.teardown(() => demoUpstreams.close())
  demoUpstreams.setFaultRate(0)
  t.same(await statuses(demoUpstreams.origins['catfact-ninja'], 3), [200, 200, 200])
})

test('faults come in the ways that were asked for, and in no other', async t => {
  const { origins, close } = await startDemoUpstreams({
    medianMs: 0,
    faultRate: 1,
    faultKinds: ['error', 'unavailable'],
  })
  t.teardown(close)
  const seen = new Set(await statuses(origins.meowfacts, 30))
  t.same(seen, new Set([500, 503]))
})

test('closing ends all of them', async t => {
  const demoUpstreams = await startDemoUpstreams({ medianMs: 0 })
  await demoUpstreams.close()
  for (const origin of Object.values(demoUpstreams.origins)) await t.rejects(fetch(origin))
})
