import type { Test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../../src/upstream/declare.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { stage } from '../helpers/stage.ts'
import { isExact } from '../../helpers/timing.ts'

/** How long the loop may be held up, in ms. */
const bound = isExact ? 500 : 5000

/** The most values that are taken, each of which the schema refuses. */
export async function busy(t: Test): Promise<void> {
  const upstream = await rawUpstream(t, json(Array.from({ length: 99_999 }, () => 0)))
  const lister = defineUpstream(
    'lister',
    { origin: upstream.origin, attemptTimeout: 10_000 },
    { list: operation({ path: '/', output: z.array(z.object({ a: z.string() })) }) },
  )
  const required = aggregate('required', { url: '/required', deadline: 10_000 })
    .required('part', () => lister.list())
    .reply(z.unknown(), ({ part }) => part)
  const { get, runtime } = await stage(t, [required])
  t.equal((await get('/health/live')).status, 200)
  let heldMs = 0
  let last = performance.now()
  const beat = setInterval(() => {
    heldMs = Math.max(heldMs, performance.now() - last)
    last = performance.now()
  }, 1)
  t.teardown(() => clearInterval(beat))
  t.match(await get('/required'), { status: 502, body: { code: 'UPSTREAM_SCHEMA' } })
  t.comment(`the loop was held up for ${heldMs.toFixed(0)} ms at most`)
  t.ok(heldMs < bound, `for less than ${bound} ms`)
  t.match(runtime.stats(), { lister: { active: 0, failed: 1 } })
}
