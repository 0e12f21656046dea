// Fills the cache of one operation after the other, and prints per shape what is counted and what the process holds
// after a collection of garbage.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryUsage } from 'node:process'
import { z } from 'zod'
import { aggregate, createRuntime, defineUpstream, fanOut, operation } from '../../../../../src/index.ts'
import { shapes } from './shapes.ts'

const cacheBytes = Number(process.argv[2])
// Node.js takes small buffers from a pool. A pool of 64 KiB, its default, that begins during a measurement would count as
// a third of what the cache holds.
Buffer.poolSize = 8 * 1024
const server = createServer({ keepAlive: true }, (request, response) => {
  const { searchParams } = new URL(request.url as string, 'http://upstream')
  const { answer } = shapes[searchParams.get('shape') as keyof typeof shapes]
  const { status = 200, type = 'application/json', headers = [], body } = answer(Number(searchParams.get('id')))
  const bytes = Buffer.from(body)
  response.writeHead(status, [
    'content-type',
    type,
    'cache-control',
    'max-age=3600',
    'etag',
    `"${searchParams.get('id')}"`,
    'content-length',
    String(bytes.length),
    ...headers,
  ])
  response.end(bytes)
})
await once(server.listen(0, '127.0.0.1'), 'listening')
const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

/** Makes a runtime with a cache for answers of a shape, whose connection and code have been used. */
async function open(shape: keyof typeof shapes) {
  const { output = z.unknown(), responseType = 'json', responseHeaders } = shapes[shape]
  const options = {
    path: '/',
    query: z.object({ shape: z.string(), id: z.number() }),
    output,
    responseType,
    nullOn: [404],
    ...(responseHeaders !== undefined && { responseHeaders }),
  } as const
  const upstream = defineUpstream(
    'upstream',
    { origin, maxCacheBytes: cacheBytes, attemptTimeout: 10_000 },
    { kept: operation({ ...options, cache: true }), other: operation(options) },
  )
  const aggregateOf = (which: 'kept' | 'other') =>
    aggregate('one', { url: '/one', query: z.object({ id: z.coerce.number() }), deadline: 10_000 })
      .required('answer', ({ query }) => upstream[which]({ shape, id: query.id }))
      .reply(z.boolean(), () => true)
  const [kept, other] = [aggregateOf('kept'), aggregateOf('other')]
  const runtime = createRuntime()
  const gauge = () => runtime.stats()['upstream']?.cache ?? { entries: 0, bytes: 0 }
  for (let id = 0; id < 10; id++) await fanOut(other, { query: { id } }, { runtime })
  return {
    runtime,
    gauge,
    /** Asks until the cache has had to let something go, or has kept so many answers. */
    fill: async (most: number) => {
      for (let id = 0; id < most && gauge().entries === id; id++) await fanOut(kept, { query: { id } }, { runtime })
    },
  }
}

async function heldBytes(): Promise<number> {
  for (let round = 0; round < 2; round++) {
    await new Promise(resolve => setImmediate(resolve))
    globalThis.gc?.()
  }
  const { heapUsed, external } = memoryUsage()
  return heapUsed + external
}

async function measure(shape: keyof typeof shapes, most: number) {
  const { runtime, gauge, fill } = await open(shape)
  const empty = await heldBytes()
  await fill(most)
  const full = await heldBytes()
  const { entries = 0, bytes: counted = 0 } = gauge()
  await runtime.close()
  return { shape, entries, counted, held: full - empty }
}

/** Makes what is made once, such as bytecode, so that it is there before the measurement. */
async function prepare(shape: keyof typeof shapes, most: number) {
  const { runtime, fill } = await open(shape)
  await fill(most)
  await runtime.close()
}

await prepare('a small object', 300)
for (const shape of process.argv.slice(3) as (keyof typeof shapes)[]) {
  await prepare(shape, 5)
  console.log(JSON.stringify(await measure(shape, 10_000)))
}
server.close()
server.closeAllConnections()
