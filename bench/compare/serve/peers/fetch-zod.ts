// The usual code with Fastify, the global fetch and zod: the calls have no concurrency limit and no deadline.
import fastify from 'fastify'
import { z } from 'zod'
import { Fact, Facts } from '../../workload/fact.ts'

const Params = z.object({ topic: z.string() })
const Query = z.object({
  n: z.coerce.number().int().min(1).max(100),
  lang: z.string().optional(),
  max_length: z.coerce.number().int().min(1).optional(),
})
const Headers = z.object({ 'accept-language': z.string().optional(), 'x-tenant': z.string().optional() })

// By default, Fastify logs two lines per request. The other peers log one line, so this hook logs only the completion.
const app = fastify({ logger: true, disableRequestLogging: true })
app.addHook('onResponse', async (request, reply) => {
  request.log.info({ req: request, res: reply, responseTime: reply.elapsedTime }, 'request completed')
})

app.setErrorHandler(async (error, _request, reply) => {
  if (error instanceof z.ZodError) return reply.code(400).send({ error: 'the input is not valid' })
  app.log.error(error)
  return reply.code(502).send({ error: 'the upstream failed' })
})

app.get('/v1/facts/:topic', async request => {
  const { topic } = Params.parse(request.params)
  const { n, lang, max_length } = Query.parse(request.query)
  const { 'accept-language': language, 'x-tenant': tenant } = Headers.parse(request.headers)
  const headers: Record<string, string> = {
    ...(language !== undefined && { 'accept-language': language }),
    ...(tenant !== undefined && { 'x-tenant': tenant }),
  }
  const facts = await Promise.all(
    Array.from({ length: n }, async (_, index) => {
      const url = new URL(`/topics/${encodeURIComponent(topic)}/fact`, process.env['UPSTREAM'])
      url.searchParams.set('index', String(index))
      if (lang !== undefined) url.searchParams.set('lang', lang)
      if (max_length !== undefined) url.searchParams.set('max_length', String(max_length))
      const response = await fetch(url, { headers })
      if (!response.ok) throw new Error(`the upstream answered ${response.status}`)
      return Fact.parse(await response.json())
    }),
  )
  return Facts.parse({ facts })
})

await app.listen({ port: Number(process.env['PORT']), host: '127.0.0.1' })
