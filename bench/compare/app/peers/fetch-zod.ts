// The usual code with Fastify, the global fetch and zod: the calls have no concurrency limit and no deadline.
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { z } from 'zod'
import { announce, upstreamOrigin } from '../../../lib/announce.ts'
import { Fact, Facts, Query } from '../../workload/fact.ts'

const origin = upstreamOrigin()
const Reply = z.object({ data: Facts, complete: z.boolean() })

const app = fastify()
app.get('/', async request => {
  const { n } = Query.parse(request.query)
  const facts = await Promise.all(
    Array.from({ length: n }, async () => {
      const response = await fetch(`${origin}/fact`)
      if (!response.ok) throw new Error(`the upstream answered ${response.status}`)
      return Fact.parse(await response.json())
    }),
  )
  return Reply.parse({ data: { facts }, complete: true })
})

await app.listen({ port: 0, host: '127.0.0.1' })
announce((app.server.address() as AddressInfo).port)
