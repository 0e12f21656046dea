import { test } from 'tap'
import { isExact } from '../helpers/timing.ts'
import { definitionsFolder } from '../helpers/definitions-folder.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { startService } from '../helpers/service-process.ts'
import { openStream } from '../app/stream/helpers/streamed.ts'

const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', attemptTimeout: 60_000 }, {
  ask: operation({ path: '/', output: z.unknown() }),
})
const options = { deadline: 60_000 }
export const needed = aggregate('needed', { url: '/needed', ...options })
  .required('it', () => source.ask()).reply(z.unknown(), ({ it }) => it)
export const wanted = aggregate('wanted', { url: '/wanted', ...options })
  .optional('it', () => source.ask(), { fallback: 'instead' }).reply(z.unknown(), ({ it }) => it)
export const stuck = aggregate('stuck', { url: '/stuck', ...options })
  .required('it', () => new Promise(() => {})).reply(z.unknown(), () => 1)
`

const drainMs = 500
/** The time after the drain timeout in which the process ends, in ms. */
const afterDrain = isExact ? 1500 : 8000

for (const [name, flags] of [
  ['one process', []],
  ['two workers', ['--workers', '2']],
  ['a process that watches its definitions', ['--watch']],
] as const)
  test(`SIGTERM ends the streams of ${name} within the drain time, each with its last event`, async t => {
    const upstream = await rawUpstream(t, () => {})
    const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions })
    const environment = { HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin, DRAIN_MS: String(drainMs) }
    const service = await startService(t, environment, ['serve', path, ...flags])
    if (flags[0] === '--workers') await service.said('serving')
    const open = async (url: string) => {
      const stream = await openStream(service.origin + url)
      await stream.nextOf('plan')
      return stream
    }
    const [needed, wanted, stuck] = await Promise.all([open('/needed'), open('/wanted'), open('/stuck')])
    await upstream.asked(2)
    const before = performance.now()
    service.stop('SIGTERM')
    t.match(await needed.nextOf('problem'), { status: 503, body: { code: 'RUNTIME_CLOSED' } })
    t.match(await wanted.nextOf('reply'), { status: 200, body: { data: 'instead', complete: false } })
    t.match(await stuck.nextOf('problem'), { status: 503, body: { code: 'DRAINING' } })
    for (const stream of [needed, wanted, stuck]) t.equal(await stream.next(), undefined, 'the stream is whole')
    t.same(await service.ended, { code: 0, signal: null })
    const elapsed = performance.now() - before
    t.comment(`ended after ${elapsed.toFixed(0)} ms`)
    t.ok(elapsed < drainMs + afterDrain)
  })
