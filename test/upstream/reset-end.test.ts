import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Socket } from 'node:net'
import { test, type Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { testRun } from '../helpers/call.ts'
import { cuttingProxy } from '../helpers/cutting-proxy.ts'
import { failure } from '../helpers/failure.ts'
import { rawUpstream } from '../helpers/raw-upstream.ts'
import { selfSigned } from '../helpers/self-signed.ts'

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\n'

/** Calls back once the first part of a body has been read. */
function onceRead(then: () => void): void {
  const read = () => {
    unsubscribe('undici:request:bodyChunkReceived', read)
    then()
  }
  subscribe('undici:request:bodyChunkReceived', read)
}

/** An upstream whose connection is reset after it has sent `bytes` and they have been read. */
async function arrange(
  t: Test,
  bytes: string,
  { isSecure = false, ...options }: Partial<UpstreamOptions> & { readonly isSecure?: boolean } = {},
) {
  const reset = (socket: Socket) => (isSecure ? proxy.reset() : socket.resetAndDestroy())
  const raw = await rawUpstream(
    t,
    socket => {
      onceRead(() => {
        reset(socket)
      })
      socket.write(bytes)
    },
    isSecure ? selfSigned : undefined,
  )
  const proxy = await cuttingProxy(t, raw.port)
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const cats = defineUpstream(
    'cats',
    {
      origin: isSecure ? `https://127.0.0.1:${proxy.port}` : raw.origin,
      retry: false,
      attemptTimeout: 10_000,
      connectTimeout: 10_000,
      ...(isSecure && { tls: { ca: selfSigned.cert } }),
      ...options,
    },
    {
      get: operation({ path: '/', output: z.string(), responseType: 'text' }),
      post: operation({ method: 'POST', path: '/', output: z.string(), responseType: 'text' }),
    },
  )
  return { get: () => runtime.send(testRun().ask(cats.get())), post: () => runtime.send(testRun().ask(cats.post())) }
}

test('a body that its connection should end is not whole when the connection is reset', async t => {
  for (const isSecure of [false, true]) {
    for (const lines of ['', 'connection: close\r\n']) {
      const { get, post } = await arrange(t, `${head}${lines}\r\nfirst`, { isSecure })
      t.match(await failure(get()), { code: 'UPSTREAM_RESET' })
      t.match(await failure(post()), { code: 'OUTCOME_UNKNOWN' })
    }
  }
})

test('in a pipeline it is not whole either', async t => {
  const { get } = await arrange(t, `${head}\r\nfirst`, { pipelining: 4 })
  t.match(await failure(get()), { code: 'UPSTREAM_RESET' })
})

test('a body that its length ends is whole, whatever comes after it', async t => {
  for (const isSecure of [false, true]) {
    const { get } = await arrange(t, `${head}connection: close\r\ncontent-length: 5\r\n\r\nfirst`, { isSecure })
    t.match(await get(), { value: 'first' })
  }
})
