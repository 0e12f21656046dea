import { z } from 'zod'
import { defineUpstream, operation, type UpstreamOptions } from '../../src/upstream/declare.ts'

/** An upstream without a server: layers are tried above a service that is a plain function. */
export function questionsTo(options: Partial<UpstreamOptions> = {}) {
  return defineUpstream(
    'nobody',
    { origin: 'http://127.0.0.1:9', retry: false, ...options },
    {
      ask: operation({ path: '/ask', output: z.unknown() }),
      shared: operation({
        path: '/shared/{id}',
        params: z.object({ id: z.string() }),
        output: z.unknown(),
        coalesce: true,
      }),
      kept: operation({
        path: '/kept/{id}',
        params: z.object({ id: z.string() }),
        output: z.unknown(),
        cache: true,
        coalesce: 'replicas',
      }),
      tell: operation({ method: 'POST', path: '/tell', body: z.unknown(), output: z.unknown() }),
    },
  )
}

export const questions = questionsTo()
