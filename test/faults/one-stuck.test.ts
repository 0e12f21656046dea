import { test } from 'tap'
import { z } from 'zod'
import { aggregate } from '../../src/fanout/aggregate.ts'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { json, rawUpstream } from '../helpers/raw-upstream.ts'
import { stage, type Reply } from './helpers/stage.ts'
import { elapsed } from '../helpers/until.ts'
import { isExact } from '../helpers/timing.ts'

const requests = isExact ? 400 : 150
const everyMs = 10
const names = Array.from({ length: 10 }, (_, index) => `part-${index}`)
const last = names[9] as string
const healthy = names.slice(0, 9)

test('one of ten upstreams is stuck: the other nine do not wait for it', async t => {
  let isStuck = false
  const answer = json({ word: 'a' })
  const upstreams = await Promise.all(
    names.map(name =>
      rawUpstream(t, socket => {
        if (name === last && isStuck) return
        setTimeout(() => {
          socket.write(answer)
        }, 3)
      }),
    ),
  )
  const declared = names.map((name, index) =>
    defineUpstream(
      name,
      {
        origin: upstreams[index]?.origin as string,
        concurrency: 32,
        attemptTimeout: 5000,
        retry: false,
        ...(name === last && { concurrency: 4, maxQueue: 8, attemptTimeout: 100, breaker: false }),
      },
      { word: operation({ path: '/', output: z.object({ word: z.string() }) }) },
    ),
  )

  // Each in its place; the names of steps are letters.
  const steps = names.map(name => name.replace('-', ''))
  const all = steps
    .reduce(
      (builder, step, index) =>
        builder.optional(step, () => (declared[index] as (typeof declared)[number]).word(), {
          fallback: null,
        }) as never,
      aggregate('all', { url: '/all', deadline: 2000 }),
    )
    .reply(z.unknown(), () => null)
  const { get, runtime } = await stage(t, [all])

  /** The latencies of the nine, of so many requests, one after so many ms whatever has become of those before. */
  async function round(): Promise<number[]> {
    const took: number[] = []
    const lost: string[] = []
    const one = async () => {
      const { status, body } = await get<Reply>('/all')
      if (status !== 200) return lost.push(String(status))
      for (const step of steps.slice(0, 9)) {
        const { state, ms } = body.sources[step] as Reply['sources'][string]
        if (state !== 'ok') lost.push(`${step}: ${state}`)
        took.push(ms)
      }
    }
    const asked: Promise<unknown>[] = []
    for (let made = 0; made < requests; made++) {
      asked.push(one())
      await elapsed(everyMs)
    }
    await Promise.all(asked)
    t.same(lost, [], 'the nine answer all the time')
    return took.sort((a, b) => a - b)
  }
  const p99 = (sorted: readonly number[]) => sorted[Math.floor(0.99 * sorted.length)] as number

  await round()
  const before = p99(await round())
  isStuck = true
  const during = p99(await round())
  const stats = runtime.stats()
  isStuck = false
  const later = p99(await round())

  t.ok(
    (stats[last]?.failed ?? 0) > requests / 4 && (stats[last]?.queuedMs ?? 0) > 0,
    'the tenth was stuck, and its own calls waited',
  )
  for (const name of healthy)
    t.match(
      stats[name],
      { queuedMs: 0, failed: 0, ignored: 0, breaker: 'closed' },
      `${name} has not waited for a permit`,
    )
  const noise = Math.max(before, later) / Math.min(before, later)
  const ratio = during / before
  t.comment(
    `p99 of the nine: ${before} ms, ${during} ms while the tenth is stuck, ${later} ms after: ` +
      `ratio ${ratio.toFixed(2)}, of two baselines ${noise.toFixed(2)}`,
  )
  // On a machine that does other things too, the ratio says more of them.
  if (isExact) t.ok(ratio <= Math.max(1.25, noise), `a ratio of ${ratio.toFixed(2)}`)
})
