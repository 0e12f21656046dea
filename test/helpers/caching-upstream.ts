import type { Test } from 'tap'
import { z } from 'zod'
import { defineUpstream, operation } from '../../src/upstream/declare.ts'
import { createRuntime } from '../../src/upstream/runtime.ts'
import { httpUpstream } from './http-upstream.ts'

/**
 * A server that answers `/500` with that status and anything else with 200, and operations that call it. After `fail()`
 * it fails, and the cache answers the calls of `kept` with stale answers.
 */
export async function cachingUpstream(t: Test, name: string) {
  let isDown = false
  const upstream = await httpUpstream(t, ({ request, response }) => {
    const status = isDown ? 503 : Number(/^\/(\d{3})$/.exec(request.url ?? '')?.[1] ?? 200)
    response
      .writeHead(status, {
        'content-type': 'application/json',
        'cache-control': 'max-age=60, stale-if-error=600',
        age: request.url === '/old' ? '90' : '0',
      })
      .end(JSON.stringify(request.url))
  })
  const runtime = createRuntime()
  t.teardown(() => runtime.close())
  const params = z.object({ id: z.union([z.string(), z.number()]) })
  const options = { origin: upstream.origin, retry: false, breaker: false } as const
  return {
    upstream,
    runtime,
    fail: () => {
      isDown = true
    },
    ...defineUpstream(name, options, {
      ask: operation({ path: '/{id}', params, output: z.unknown() }),
      kept: operation({ path: '/{id}', params, output: z.unknown(), cache: true }),
    }),
  }
}
