import { once } from 'node:events'
import { connect } from 'node:net'
import { test } from 'tap'
import { definitionsFolder } from '../../helpers/definitions-folder.ts'
import { json, rawUpstream } from '../../helpers/raw-upstream.ts'
import { startService } from '../../helpers/service-process.ts'
import { until } from '../../helpers/until.ts'

const maxBytes = 65_536
const readers = 1000
/** Readers whose streams have more bytes than the buffers of a connection take. The streams of the others fit in them. */
const flooded = 20
const steps = 80

/** Streams of 20 KB, and streams that have a snapshot of 400 KB as often as snapshots may follow each other. */
const definitions = `
import { aggregate, defineUpstream, operation } from 'headwaters'
import { z } from 'zod'

const after = (ms, value) => { const { promise, resolve } = Promise.withResolvers(); setTimeout(resolve, ms, value); return promise }
const source = defineUpstream('source', { origin: 'http://127.0.0.1:9', concurrency: 50, maxQueue: 2000 }, {
  ask: operation({ path: '/', output: z.string() }),
})
export const small = aggregate('small', { url: '/small', deadline: 60_000 })
  .required('it', () => source.ask())
  .optional('later', () => after(200, 'later'), { fallback: '' })
  .reply(z.unknown(), ({ it, later }) => ({ it, later }))
let builder = aggregate('flood', { url: '/flood', deadline: 60_000 }).required('it', () => source.ask())
for (let step = 0; step < ${steps}; step++)
  builder = builder.optional('s' + step, () => after((step + 1) * 60, 'x'), { fallback: '' })
export const flood = builder.reply(z.unknown(), args => ({ text: 'y'.repeat(400_000), last: args.s0 }))
export const gc = aggregate('gc', { url: '/gc' }).reply(z.unknown(), () => { globalThis.gc() })
`

test('a thousand readers that stop cost no more than their bound, and hold no connection to an upstream', async t => {
  const upstream = await rawUpstream(t, json('z'.repeat(20_000)))
  const { path } = definitionsFolder(t, { 'aggregates.mjs': definitions })
  const { origin, port } = await startService(
    t,
    {
      HEADWATERS_UPSTREAM_SOURCE_ORIGIN: upstream.origin,
      STREAM_MAX_BYTES: String(maxBytes),
      REPLY_TIMEOUT_MS: '8000',
      MAX_LOOP_DELAY_MS: '0',
      MAX_RUNS: '0',
      HEADWATERS_ENV: 'development',
    },
    ['serve', path],
    { node: ['--expose-gc'] },
  )
  /** Returns the sum of the series of a metric whose labels have a text. */
  const read = async (name: string, label = '') => {
    const text = await (await fetch(`${origin}/metrics`)).text()
    const lines = text.split('\n').filter(line => line.startsWith(name) && line.includes(label))
    return lines.reduce((sum, line) => sum + Number(line.split(' ')[1]), 0)
  }
  const memory = async () => {
    t.equal((await fetch(`${origin}/gc`)).status, 200)
    return read('process_resident_memory_bytes')
  }
  const open = async (url: string, isReading: boolean) => {
    const caller = connect(port, '127.0.0.1').on('error', () => {})
    t.teardown(() => caller.destroy())
    await once(caller, 'connect')
    caller.write(`GET ${url} HTTP/1.1\r\nhost: a\r\naccept: application/x-ndjson\r\n\r\n`)
    return isReading ? caller.resume() : caller.pause()
  }
  /** Opens all streams, and waits for the ends of their runs. Returns the memory of the service, in bytes. */
  const serveAll = async (isReading: boolean) => {
    const ended = async () =>
      (await read('headwaters_runs_total', 'aggregate="flood"')) +
      (await read('headwaters_runs_total', 'aggregate="small"'))
    const before = await ended()
    const callers = await Promise.all(
      Array.from({ length: readers }, (_, index) => open(index < flooded ? '/flood' : '/small', isReading)),
    )
    await until(async () => (await ended()) - before === readers)
    if (isReading) {
      await until(async () => (await read('headwaters_open_streams')) === 0)
      for (const caller of callers) caller.destroy()
    }
    return memory()
  }
  // The runs and the connections of callers that read cost memory too.
  const before = await serveAll(true)
  const grown = (await serveAll(false)) - before
  const cut = () => read('headwaters_streams_total', 'end="cut"')
  // The kernel decides how much a connection takes, so some of the large streams may fit.
  const stuck = (await read('headwaters_open_streams')) + (await cut())
  t.comment(`${stuck} streams are stuck; ${(grown / 2 ** 20).toFixed(0)} MiB more`)
  t.ok(grown <= readers * (maxBytes + 32 * 1024), `${grown} bytes`)
  t.ok(stuck > 0 && stuck <= flooded, 'large streams do not fit in the buffers')
  t.equal(await read('http_client_open_connections', 'state="active"'), 0)
  await until(async () => (await read('headwaters_open_streams')) === 0)
  t.equal(await cut(), stuck)
})
