import fastify from 'fastify'
import { Pool } from 'undici'
import { z } from 'zod'

// The smallest service with these three packages, as the reference for the cold start: one route that calls one
// upstream, and a health route.
const Query = z.object({ count: z.coerce.number().int().min(1).max(50).default(3) })
const Fact = z.object({ fact: z.string(), length: z.int() })
const upstream = new Pool('https://catfact.ninja', { connections: 64 })

const app = fastify({ logger: true })
app.get('/health/live', () => ({ status: 'live' }))
app.get('/v1/cat-facts', async request => {
  const { count } = Query.parse(request.query)
  return Promise.all(
    Array.from({ length: count }, async () => {
      const { body } = await upstream.request({ method: 'GET', path: '/fact' })
      return Fact.parse(await body.json())
    }),
  )
})
await app.listen({ host: '127.0.0.1', port: Number(process.env['PORT'] ?? 0) })
